/* SPDX-License-Identifier: BSD-3-Clause
 * runq.h - the queue of ready goroutines that each P keeps for itself
 *
 * A ring of RUNQ_SIZE. The owner fills the tail; owner and thieves empty the head. So tail has
 * one writer, and head moves only by compare-and-swap. Beside it `next`: the goroutine readied
 * last, which runs before the ring and inherits the time slice, so that two that talk to each
 * other stay on one core. The owner alone fills `next`; anybody may empty it. May these run at
 * the same time?
 *
 *             put   get   grab
 *      put    no    no    yes       put, get: the M holding this P (put_next, get_next too)
 *      get          no    yes       grab: anyone (grab_next too)
 *      grab               yes
 *
 * A thief that sees nothing has learned nothing: before an M sleeps it looks at all queues
 * again after giving up its P (edge SPIN-DOWN). head and tail run over 2^32; their difference
 * is the size.
 *
 * Where there is no other P there is no thief (`alone`), and the owner's gets need no locked
 * operation, which costs more than all the rest of a switch.
 *
 * Tried and dropped: an exchange for every put_next (two locked operations a round trip of two
 * goroutines, 4 ns of 30): since only the owner makes `next` non-empty, an empty one stays
 * empty under its eyes.
 */
#ifndef QUOIT_SCHED_RUNQ_H
#define QUOIT_SCHED_RUNQ_H

#include "atomic.h"
#include "compiler.h"
#include "cpu.h"

#include "gmp.h"

#include <stdbool.h>
#include <stdint.h>

enum { RUNQ_AHEAD = 3 };

/* A hint for anybody: how many are in the ring. */
static inline uint32_t runq_size(const struct runq *q)
{
    /* hint: stale by the time it is used */
    return load_relaxed(&q->tail) - load_relaxed(&q->head);
}

/* True only if there was a moment at which both were empty: one that moves from `next` to the
 * ring while this looks moves the tail. Anyone. */
static inline bool runq_empty(const struct runq *q)
{
    for (;;) {
        /* hint: it is what it was when the rest was read, or all is read again */
        uint32_t tail = load_relaxed(&q->tail);
        /* order RUNQ-EMPTY in: who emptied either had filled the ring before; out:
         * runq_get_next, runq_take */
        bool empty = load_acquire(&q->head) == tail && load_acquire(&q->next) == NULL;

        if (likely(load_relaxed(&q->tail) == tail))
            return empty;
    }
}

/* At the tail; false when full: the caller spills (globrunq.h). */
static always_inline bool runq_put(struct runq *q, struct quoit_g *gp)
{
    /* order RUNQ-TAKE in: a slot is reused after its taker has read it; out: runq_grab */
    uint32_t head = load_acquire(&q->head);
    uint32_t tail = load_relaxed(&q->tail);

    if (unlikely(tail - head >= RUNQ_SIZE))
        return false;
    store_relaxed(&q->slot[tail % RUNQ_SIZE], gp);
    /* order RUNQ-PUB out: the slot is filled before tail shows it; in: runq_grab */
    store_release(&q->tail, tail + 1);
    return true;
}

/* Where a goroutine goes on: its stack comes into the cache while others run. */
static always_inline void runq_prefetch(const struct quoit_g *gp)
{
    /* hint: it may be running by now, and sp anything, so no sum of pointers */
    uintptr_t sp = (uintptr_t)load_relaxed((char *const *)&gp->ctx.sp);

    prefetch_write((const void *)sp);
    prefetch_write((const void *)(sp + CACHELINE));
}

/* The owner takes what is at *head; false, and *head is read anew: a thief was quicker. */
static always_inline bool runq_take(struct runq *q, uint32_t *head)
{
    if (q->alone) {
        /* order RUNQ-EMPTY out: what was put into `next` before shows first; in: runq_empty */
        store_release(&q->head, *head + 1);
        return true;
    }
    /* order RUNQ-EMPTY out: as above; in: runq_empty */
    return cas_acq_rel(&q->head, head, *head + 1);
}

/* From the head, or NULL. */
static always_inline struct quoit_g *runq_get(struct runq *q)
{
    uint32_t head = load_relaxed(&q->head);

    for (;;) {
        uint32_t size = load_relaxed(&q->tail) - head;
        struct quoit_g *gp;

        if (size == 0)
            return NULL;
        gp = load_relaxed(&q->slot[head % RUNQ_SIZE]);
        if (size > RUNQ_AHEAD)
            runq_prefetch(load_relaxed(&q->slot[(head + RUNQ_AHEAD) % RUNQ_SIZE]));
        if (likely(runq_take(q, &head)))
            return gp;
    }
}

/* Copies up to `max`, and no more than half of what is there (rounded up), from q's head into `out`
 * and takes them: how many. Anyone. */
static inline uint32_t runq_grab(struct runq *q, struct quoit_g **out, uint32_t max)
{
    for (;;) {
        /* order RUNQ-TAKE in: head before tail, so that the size is never too large for long;
         * out: runq_grab */
        uint32_t head = load_acquire(&q->head);
        /* order RUNQ-PUB in: what tail shows is filled; out: runq_put */
        uint32_t tail = load_acquire(&q->tail);
        uint32_t n = tail - head;

        n -= n / 2;
        if (n == 0)
            return 0;
        if (n > RUNQ_SIZE / 2)
            continue; /* head and tail are from different times */
        if (n > max)
            n = max;
        for (uint32_t i = 0; i < n; i++)
            out[i] = load_relaxed(&q->slot[(head + i) % RUNQ_SIZE]);
        /* order RUNQ-TAKE out: the slots are read before they are given back; in: runq_put */
        if (cas_acq_rel(&q->head, &head, head + n))
            return n;
    }
}

/* Into `next`; returns the one that was there, for runq_put, or NULL. */
static always_inline struct quoit_g *runq_put_next(struct runq *q, struct quoit_g *gp)
{
    /* hint: only the owner fills it, so NULL is certain; anything else may be gone by now */
    if (likely(load_relaxed(&q->next) == NULL)) {
        /* order RUNQ-NEXT out: the goroutine is whole before it can be taken; in: runq_get_next */
        store_release(&q->next, gp);
        return NULL;
    }
    /* order RUNQ-NEXT out: as above; in: runq_get_next */
    return xchg_acq_rel(&q->next, gp);
}

/* Out of `next`, or NULL. The owner; a thief names in `seen` what it saw there and takes only that.
 */
static always_inline struct quoit_g *runq_get_next(struct runq *q)
{
    struct quoit_g *gp = load_relaxed(&q->next);

    if (gp == NULL)
        return NULL;
    if (q->alone) {
        /* order RUNQ-EMPTY out: what was put into the ring before shows first; in: runq_empty */
        store_release(&q->next, NULL);
        return gp;
    }
    /* order RUNQ-NEXT in: the goroutine is whole; out: runq_put_next.
     * order RUNQ-EMPTY out: what was put into the ring before shows first; in: runq_empty */
    return xchg_acq_rel(&q->next, NULL);
}

static inline bool runq_grab_next(struct runq *q, struct quoit_g *seen)
{
    /* order RUNQ-NEXT in: the goroutine is whole; out: runq_put_next */
    return seen != NULL && cas_acquire(&q->next, &seen, NULL);
}

#endif
