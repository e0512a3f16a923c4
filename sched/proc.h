/* SPDX-License-Identifier: BSD-3-Clause
 * proc.h - the verbs: what may be done with G's, M's and P's
 *
 * Grouped and ordered like the files. Unless said otherwise a function is called inside (between enter
 * and leave) by an M that holds a P; `mp` is that M. A function that may switch returns the M on which the
 * goroutine goes on: what the caller knew of the old one is stale.
 */
#ifndef QUOIT_SCHED_PROC_H
#define QUOIT_SCHED_PROC_H

#include "atomic.h"
#include "tls.h"

#include "gmp.h"
#include "netpoll.h"
#include "os_linux.h"

/* ---- inside and outside (syscall.c) --------------------------------------------------------- */

/* The running M, or NULL in a thread that is not ours. */
static always_inline struct m *m_get(void)
{
    return tls_get();
}

struct m *entry_slow(struct m *mp);

/* First thing in a public function: from here until leave() nothing may be taken from the M. NULL in a
 * thread that is not ours. */
static always_inline struct m *enter(void)
{
    struct m *mp = m_get();

    if (unlikely(mp == NULL))
        return NULL;
    store_relaxed(&mp->inside, 1);
    /* order INSIDE full: inside is set before revoked is read; in: revoke_all */
    fence_light();
    if (unlikely(load_relaxed(&mp->revoked) != 0))
        return entry_slow(mp);
    return mp;
}

/* Last thing: user code follows. */
static always_inline void leave(struct m *mp)
{
    /* order INSIDE out: all that was done inside comes first; in: revoke_all */
    store_release(&mp->inside, 0);
}

/* ---- states (gstatus.c) --------------------------------------------------------------------- */

/* The state with Gscan added while a scanner holds it. Any thread. */
uint32_t gstatus_read(const struct quoit_g *gp);
const char *gstatus_name(uint32_t status);
bool gstatus_legal(uint32_t from, uint32_t to);
noreturn_fn cold void gstatus_bad(const struct quoit_g *gp, uint32_t from, uint32_t to);
cold void gstatus_wait_scan(struct quoit_g *gp);

/* The one way to change a state. Only who has the goroutine in hand calls it, so there is one writer;
 * a scanner that announced itself before is waited for. */
static always_inline void gstatus_set(struct quoit_g *gp, uint32_t from, uint32_t to)
{
    if (unlikely(load_relaxed(&gp->status) != from))
        gstatus_bad(gp, from, to);
    /* order G-OFF out: the saved context and what was done comes before the new state; in: ready */
    store_release(&gp->status, to);
    /* order SCAN full: the new state is out before a scanner is looked for; in: gscan_begin */
    fence_light();
    if (unlikely(load_relaxed(&gp->scan) != 0))
        gstatus_wait_scan(gp);
}

/* Holds gp in `state`: false when it is in another one. Any thread; gscan_end lets it go. */
bool gscan_begin(struct quoit_g *gp, uint32_t state);
void gscan_end(struct quoit_g *gp, uint32_t state);

/* ---- birth and death (newproc.c) ------------------------------------------------------------ */

/* mp may be NULL: a thread that is not ours. */
int newproc(struct m *mp, const struct quoit_attr *attr, quoit_fn fn, void *arg, size_t copylen,
            struct quoit_g **out);
void goroutine_main(void *arg);
noreturn_fn void goexit1(struct m *mp, int result);
struct m *join(struct m *mp, struct quoit_g *gp, int *result);

enum { JOIN_NONE = 0, JOIN_DONE = 1, JOIN_RELEASED = 2 };

/* ---- choosing (schedule.c) ------------------------------------------------------------------ */

/* The next goroutine of the P's own queues, or NULL. After a park the newest unstarted one is taken,
 * else the oldest: who waits most likely waits for what it made last. */
struct quoit_g *pick_local(struct m *mp, bool parked);
/* The same, and the shared queue when those are empty. */
struct quoit_g *pick(struct m *mp, bool parked);
/* On g0, for ever: find work and run it. Returns when the M is to leave. */
void schedule(struct m *mp);
/* A chain that became runnable: onto the P's queue, others are called to help. */
void injectglist(struct m *mp, struct glist *list);

/* ---- switching (switch.c) ------------------------------------------------------------------- */

/* Leaves curg for `next` (which the caller took out of its queue), or for g0 when it is NULL.
 * `after` says what is done with the one that left. */
struct m *switch_away(struct m *mp, struct quoit_g *next, enum after after);
/* From g0 into `next`; returns when g0 runs again. False: no stack to be had, nothing was done. */
bool switch_from_g0(struct m *mp, struct quoit_g *next);
/* First thing on a stack that was switched to. */
void finish_switch(struct m *mp);

/* ---- waiting (park.c) ----------------------------------------------------------------------- */

/* unlock(arg), unless NULL, runs when the stack has been left; 0 from it: runnable again at once. */
struct m *park(struct m *mp, int (*unlock)(void *), void *arg, const char *reason);
/* mp may be NULL: a thread that is not ours. */
void ready(struct m *mp, struct quoit_g *gp);
struct m *yield(struct m *mp);

/* ---- M's and P's (m.c, p.c) ----------------------------------------------------------------- */

/* Somebody should look for work: starts or wakes one M, unless one looks already. */
void wakep_slow(struct m *mp);

/* After every put into a queue that others may take from. */
static always_inline void wakep(struct m *mp)
{
    /* order SPIN-DOWN full: the put is out before idle P's are looked for; in: spin_down */
    fence_light();
    if (unlikely(load_relaxed(&sched.npidle) != 0))
        wakep_slow(mp);
}

struct m *m_new(void);
int m_start(struct p *pp);
void *m_main(void *arg);
void m_init_thread(struct m *mp);
void m_fini_thread(struct m *mp);
void stopm(struct m *mp);
void m_bind(struct m *mp, struct p *pp);

int p_init(uint32_t n);
void p_fini(void);
void acquirep(struct m *mp, struct p *pp);
struct p *releasep(struct m *mp);
void pidleput_locked(struct p *pp);
struct p *pidleget_locked(struct p *near);

/* After this every M comes in and sees sched.stopping. */
void revoke_all(void);

#endif
