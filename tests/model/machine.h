/* SPDX-License-Identifier: BSD-3-Clause
 * machine.h - the memory of the model: stores that are remembered, threads that have not
 * seen them all
 *
 * Each word keeps the stores made to it, in the order on which all threads agree. A view
 * says for each word which store is the oldest one still to be had, and for each thread
 * how much of it happened before. Every thread has a view; so has every store:
 *
 *     load            any store not older than the view; the view moves up to it
 *     acquire         and takes in the store's own view
 *     store           a store newer than the view, not always the newest of all
 *     release         that store's view is the thread's
 *     rmw             reads the newest store; its own carries on the view of the one it replaces
 *     fence_full      the thread's view and one global view become their union
 *     fence_heavy     so for each other thread in turn, wherever it stands
 *     fence_light     nothing; where membarrier is forbidden, fence_and_load is a fence_full
 *
 * A load never returns a store that has not been made yet, with one exception: words
 * named by explore_late(). There the value of a later store may be guessed; the schedule
 * counts only if another thread makes that store, and if the load did not happen before
 * it.
 *
 * Not modelled: a compare-and-swap that fails by chance, mixed sizes, and unbounded
 * staleness (the same old store is returned STALE times, so that loops end).
 */
#ifndef QUOIT_TESTS_MACHINE_H
#define QUOIT_TESTS_MACHINE_H

#include "explore.h"

enum { WORDS = 44, STORES = 40, DATA = 12, LEARNED = 8, STALE = 2, EDGES = 4 };

/* Orders as bits: an acquire, a release, and what only a full fence does. */
enum { RELAXED = 0, IN = 1, OUT = 2, FULL = 4 };

/* A place in the source that touches memory. Its edges stand in the comment above it (site.c). */
struct site {
    const char *op, *what, *file, *func;
    int line, order;
    bool known;
    int broken;   /* the orders that this run takes away */
    int removed;  /* --audit: the one that it tries without */
    int nedges;
    struct {
        char name[24];
        int order;
    } edge[EDGES];
    struct site *link; /* all sites that were reached */
};

void site_learn(struct site *s);
void site_break(const char *spec);
extern struct site *all_sites;

/* The orders that hold here. */
static inline int site_order(struct site *s)
{
    if (!s->known)
        site_learn(s);
    return s->order & ~s->broken & ~s->removed;
}

enum rmw { RMW_XCHG, RMW_ADD };

uint64_t model_load(struct site *s, const void *p, size_t size);
void model_store(struct site *s, void *p, size_t size, uint64_t value);
uint64_t model_rmw(struct site *s, void *p, size_t size, enum rmw how, uint64_t value);
bool model_cas(struct site *s, void *p, size_t size, void *seen, uint64_t want, int failorder);
void model_fence(struct site *s);
void model_fence_light(struct site *s);
void model_fence_heavy(struct site *s);
uint32_t model_fence_and_load(struct site *s, const uint32_t *p);
void model_relax(struct site *s);
int model_futex_wait(struct site *s, uint32_t *p, uint32_t value, int64_t deadline);
void model_futex_wake(struct site *s, uint32_t *p, int n);
void model_await(struct site *s, uint32_t *p, bool set);
uint64_t model_data_read(struct site *s, const uint64_t *p);
void model_data_write(struct site *s, uint64_t *p, uint64_t value);

/* ---- between explore.c and machine.c -------------------------------------------------------- */

enum tstate { T_READY, T_SLEEPS, T_SPINS, T_AWAITS_SET, T_AWAITS_CLEAR, T_DONE, T_FAILED };

struct view {
    uint8_t at[WORDS];
    uint8_t clock[EXPLORE_THREADS];
};

struct mthread {
    struct view cur;  /* what it has seen */
    struct view acq;  /* what a fence would let it see */
    struct view rel;  /* what its relaxed stores carry */
    struct view early[2]; /* for a broken fence_light: after the last step, and the one before */
    uint64_t history; /* of all that it has read: stands for its private state */
    uint8_t again[WORDS]; /* how often the same old store was returned */
    uint8_t state;    /* enum tstate */
    uint8_t word;     /* asleep on, or spinning over */
    uint8_t pos;      /* T_SPINS: the store it saw there */
    uint8_t timed;    /* T_SLEEPS: it may wake by itself */
    uint8_t relaxed;  /* rounds of a spin loop so far */
    uint8_t woken;    /* T_SLEEPS no more */
    uint8_t hasty;    /* the next load may come early */
    uint8_t pad;
};

/* One step of a trace. */
struct trace_step {
    const struct site *site;
    uint64_t value;
    uint8_t thread;
    uint8_t newer; /* loads: how many newer stores there were */
    const char *note;
};

extern struct mthread threads[EXPLORE_THREADS];
extern int nthreads, self; /* self < 0: no schedule is running */
extern uint32_t fence_bias;
extern bool machine_learned; /* something that earlier schedules should have known */

void machine_forget(void);     /* before the first schedule of a test */
void machine_reset(void);      /* before each schedule */
void machine_begin(void);      /* after setup() */
void machine_settle(void);     /* after it: memory as all threads would see it in the end */
uint64_t machine_hash(void);
bool machine_guessing(void);   /* a guess is still to come true */
bool machine_can_go(int t);
void machine_name(char *buf, size_t size, uint64_t value);

/* From explore.c: begins an access, after waiting for a turn of its own or at once; picks; notes
 * what was done; gives the schedule up. */
void step(const struct site *s, bool turn);
int choose(int n);
void note_step(uint64_t value, int newer, const char *note);
void abandon(void) __attribute__((noreturn));
void fail_step(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
