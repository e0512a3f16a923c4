/* SPDX-License-Identifier: BSD-3-Clause
 * limit.h - what ends a goroutine's waits early: its deadline, and who cancels it
 *
 * Both are in one word of the record, `limits`: the deadline without its lowest bit, 0: none; and
 * in that bit whether it was cancelled and has not seen it yet. So who has neither pays a load.
 *
 * Who parks and who cancels meet in the state:
 *
 *     who parks                             who cancels
 *     1. waits = what it waits in           1. LIMIT_CANCELLED into limits
 *     2. the stack is left, state waiting   2. heavy fence (CANCEL)
 *     3. light fence (CANCEL, gstatus.h)    3. waiting? hold it so (gscan_begin)
 *     4. cancelled? does not wait           4. end what `waits` says, let go
 *
 * Either 4 on the left sees the mark, or 3 on the right sees it wait; and held in its state it
 * cannot go on, so what `waits` says is there until 4 on the right is done. Nothing of this costs
 * a locked operation on the left. The mark stays until a call has told of it.
 */
#ifndef QUOIT_SCHED_LIMIT_H
#define QUOIT_SCHED_LIMIT_H

#include "atomic.h"

#include "gmp.h"

#include <stdbool.h>
#include <stdint.h>

/* In quoit_g.limits. */
#define LIMIT_CANCELLED UINT64_C(1)
/* Added to quoit_g.waits: an operation of the poller (netpoll_cancel), else a struct timed. */
#define WAITS_OP ((uintptr_t)1)

static inline int64_t limit_deadline(const struct quoit_g *gp)
{
    uint64_t ns = load_relaxed(&gp->limits) & ~LIMIT_CANCELLED;

    return ns != 0 ? (int64_t)ns : INT64_MAX;
}

/* A hint, but to gp itself once its state is waiting. */
static inline bool limit_cancelled(const struct quoit_g *gp)
{
    return load_relaxed(&gp->limits) & LIMIT_CANCELLED;
}

/* gp waits, can be ended early, and is to be: after the fence of its new state (edge CANCEL). */
static inline bool limit_given_up(const struct quoit_g *gp)
{
    return unlikely(limit_cancelled(gp)) && load_relaxed(&gp->waits) != 0;
}

/* A wait of the caller's gp ended early: -ECANCELED, told once each quoit_cancel, else
 * -ETIMEDOUT. */
int limit_error(struct quoit_g *gp);

/* The same before there is a wait; 0: nothing stands against it. */
int limit_check(struct quoit_g *gp);

#endif
