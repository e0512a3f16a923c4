/* SPDX-License-Identifier: BSD-3-Clause
 * deferfree.c - frees that wait for a grace period, so that who asks for them need not
 *
 * What is given lies on shelves, each with a lock: whoever holds a P takes the one of its P, so
 * that those who give much do not meet. The housekeeper empties them all, sees a grace period
 * through (grace.c), a look at a time, and calls what it has taken. What comes meanwhile waits for
 * the next one. So a period serves all that came in the time of the one before, however many.
 *
 *     who gives                            the housekeeper
 *     1. has unlinked it                   1. takes it off the shelf, under its lock
 *     2. onto a shelf, under its lock      2. begins a grace period, which starts with a heavy
 *     3. an empty shelf: something is         fence
 *        there, and sysmon is woken        3. looks until all have passed; calls it
 *
 * Turned down: to wait in quoit_synchronize. A goroutine that computes on for a minute would keep
 * the housekeeper from all else for a minute. And a list by compare-and-swap: every give would need
 * memory of its own, where a batch needs some for 255.
 */
#include "deferfree.h"

#include "gmp.h"
#include "init.h"
#include "p.h"
#include "proc.h"
#include "quiesce.h"
#include "sysmon.h"

#include <errno.h>
#include <stdlib.h>

enum { BATCH = 255, SHELVES = 16 };

/* From the end of a grace period to the next one: each calls all M's to the door. */
enum { REST_NS = 1000000 };

struct batch {
    struct batch *next;
    uint32_t n;
    struct {
        void *ptr;
        void (*fn)(void *ptr);
    } at[BATCH];
};

static struct shelf {
    struct lock lock cacheline_aligned;
    struct batch *batches; /* the first one has room */
} shelves[SHELVES];

static struct deferred {
    uint32_t some;         /* a  a shelf is not empty; set and cleared so that who takes its lock
                            *    afterwards finds what was put there */
    uint64_t count;        /* a  a hint for others */
    struct batch *taken;   /*    the rest is the housekeeper's, and sysmon's while that one rests */
    struct m *at;          /*    whom the grace period waits for */
    bool begun;
    int64_t look, pause;
} deferred;

/* ---- giving --------------------------------------------------------------------------------- */

/* By itself, and not around all that quoit_defer_free does: whoever is called to the door there may
 * go on in another thread, whose errno is another one. */
static noinline struct batch *batch_new(struct batch *next)
{
    int saved = errno;
    struct batch *b = malloc(sizeof *b);

    errno = saved;
    if (b != NULL) {
        b->n = 0;
        b->next = next;
    }
    return b;
}

/* 1: it lies there, on a shelf that was empty; 0: with others; or -ENOMEM. */
static int put_locked(struct shelf *s, void *ptr, void (*fn)(void *ptr))
{
    struct batch *b = s->batches;
    bool first = b == NULL;

    if (first || b->n == BATCH) {
        b = batch_new(s->batches);
        if (b == NULL)
            return -ENOMEM;
        s->batches = b;
    }
    b->at[b->n].ptr = ptr;
    b->at[b->n++].fn = fn;
    if (first)
        /* hint: under the lock of the shelf; who clears it takes that lock afterwards */
        store_relaxed(&deferred.some, 1);
    return first;
}

static int put(struct shelf *s, void *ptr, void (*fn)(void *ptr))
{
    int e;

    lock(&s->lock);
    e = put_locked(s, ptr, fn);
    unlock(&s->lock);
    if (e <= 0)
        return e;
    sysmon_wake();
    return 0;
}

int quoit_defer_free(void *ptr, void (*fn)(void *ptr))
{
    struct m *mp;
    int e = -ESHUTDOWN;

    if (fn == NULL)
        return -EINVAL;
    mp = enter();
    if (mp != NULL) {
        e = put(&shelves[mp->p->id % SHELVES], ptr, fn);
        leave(mp);
    } else if (foreign_enter()) {
        e = put(&shelves[0], ptr, fn);
        foreign_leave();
    }
    return e;
}

/* ---- freeing -------------------------------------------------------------------------------- */

static void take_all(void)
{
    /* hint: before the locks are taken, see put_locked */
    store_relaxed(&deferred.some, 0);
    for (int i = 0; i < SHELVES; i++) {
        struct shelf *s = &shelves[i];
        struct batch *b, **last;

        lock(&s->lock);
        b = s->batches;
        s->batches = NULL;
        unlock(&s->lock);
        for (last = &deferred.taken; *last != NULL; last = &(*last)->next)
            ;
        *last = b;
    }
}

static void free_taken(void)
{
    while (deferred.taken != NULL) {
        struct batch *b = deferred.taken;

        for (uint32_t i = 0; i < b->n; i++)
            b->at[i].fn(b->at[i].ptr);
        /* hint: anybody reads it */
        store_relaxed(&deferred.count, deferred.count + b->n);
        deferred.taken = b->next;
        free(b);
    }
}

int64_t deferred_due(void)
{
    return deferred.taken != NULL || load_relaxed(&deferred.some) ? deferred.look : INT64_MAX;
}

/* True: it is over. */
static bool passes(void)
{
    if (deferred.taken == NULL) {
        take_all();
        deferred.pause = PAUSE_NS;
    }
    if (!deferred.begun)
        deferred.begun = grace_try_begin(&deferred.at);
    return deferred.begun && grace_is_over(&deferred.at);
}

void deferred_run(int64_t now)
{
    bool over;

    /* At the end the M's go away: deferred_fini does the rest. */
    if (!foreign_enter())
        return;
    over = passes();
    foreign_leave();
    deferred.look = now + (over ? REST_NS : deferred.pause);
    deferred.pause = longer(deferred.pause);
    if (!over)
        return;
    deferred.begun = false;
    free_taken();
}

uint64_t deferred_count(void)
{
    return load_relaxed(&deferred.count);
}

/* ---- start and end -------------------------------------------------------------------------- */

int deferred_init(void)
{
    deferred = (struct deferred){ .taken = NULL };
    for (int i = 0; i < SHELVES; i++)
        shelves[i] = (struct shelf){ .batches = NULL };
    return 0;
}

void deferred_fini(void)
{
    take_all();
    free_taken();
}
