/* SPDX-License-Identifier: BSD-3-Clause
 * gather.h - one goroutine waits for as many as it wants of what others end
 *
 * Who ends something puts it into a list and counts it; the owner takes the list, and waits by
 * taking off the count what it wants to have been counted:
 *
 *     who ends                              the owner
 *     1. put into the list                  1. off its stack: take n off the word
 *     2. add 1 to the word                  2. still 0 or more: no need to wait
 *        it was -1: make the owner ready    3. ready: take the list
 *
 * So the word is below 0 only while the owner waits, the one who brings it to 0 makes it ready,
 * and all that were counted were put before. What was put may be taken before it is counted.
 * Nobody touches this after counting, but for who makes the owner ready. Who wants to end the
 * owner's wait early, for a deadline, raises a word below 0 to 0, and then the owner's debt is
 * less by as much.
 */
#ifndef QUOIT_URING_GATHER_H
#define QUOIT_URING_GATHER_H

#include "atomic.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct quoit_g;

struct gathered {
    struct gathered *next;
};

struct gather {
    uint32_t word;         /* a  GATHER: counted, less what was waited for */
    struct gathered *list; /* a  GATHER-LIST: the last one first */
    struct quoit_g *gp;    /*    who waits, while the word is below 0 */
};

/* Any thread: x has ended. Who is to be made ready, or NULL. */
static inline struct quoit_g *gather_put(struct gather *g, struct gathered *x)
{
    struct gathered *first = load_relaxed(&g->list);

    do
        x->next = first;
    /* order GATHER-LIST out: all that was done with x comes first; in: gather_take */
    while (!cas_release(&g->list, &first, x));
    /* order GATHER full: it is in the list, and so are those that were counted before; who waits
     * has said so; in: gather_wait */
    return add_acq_rel(&g->word, 1) == UINT32_MAX ? g->gp : NULL;
}

/* The owner, off its stack: it waits until n more have been counted. False: they have been. */
static inline bool gather_wait(struct gather *g, struct quoit_g *gp, uint32_t n)
{
    g->gp = gp;
    /* order GATHER full: who is to be made ready stands there; what was counted is in the list;
     * in: gather_put */
    return (int32_t)(add_acq_rel(&g->word, -n) - n) < 0;
}

/* The owner: have all n been counted that it has taken? Then nobody touches this any more. */
static inline bool gather_counted(const struct gather *g, uint32_t n)
{
    /* order GATHER in: who counted is through; out: gather_put */
    return load_acquire(&g->word) == n;
}

/* The owner: all that have been put, the last one first. */
static inline struct gathered *gather_take(struct gather *g)
{
    if (load_relaxed(&g->list) == NULL)
        return NULL;
    /* order GATHER-LIST in: what was done with each is seen; out: gather_put */
    return xchg_acquire(&g->list, NULL);
}

#endif
