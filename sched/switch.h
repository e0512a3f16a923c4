/* SPDX-License-Identifier: BSD-3-Clause
 * switch.h - straight from one goroutine to the next
 *
 * Who leaves goes to the next goroutine's stack in one switch; g0 runs only when there is nothing local.
 * What must not happen before the old stack is left (its state, its queue, its lock, its memory) is
 * noted in m->prev and m->after, and done first thing by whoever runs next: finish_switch. The kernel's
 * scheduler does the same.
 *
 *     leaving                              arriving, on the other stack
 *     m->prev = gp, m->after = what        finish_switch(m)
 *     state of next: Grunning                  AFTER_YIELD  Grunnable, tail of the queue
 *     m->curg = next                           AFTER_PARK   Gwaiting, unlock; said no: Grunnable, next
 *     context_switch                           AFTER_DEAD   the stack back to the cache
 *
 * The new state is stored after the context was saved (edge G-OFF), so whoever finds the goroutine in
 * that state may run it. The M comes back as the value of context_switch: the goroutine may have moved.
 */
#ifndef QUOIT_SCHED_SWITCH_H
#define QUOIT_SCHED_SWITCH_H

#include "proc.h"
#include "gstatus.h"
#include "stack.h"

void finish_park(struct m *mp, struct quoit_g *gp);
void finish_yield(struct m *mp, struct quoit_g *gp);
/* No stack for next: it goes to the shared queue, to be tried again. */
cold void stack_wanting(struct m *mp, struct quoit_g *next);
struct m *switch_to_g0(struct m *mp, enum after after);

static always_inline void finish_switch(struct m *mp)
{
    switch (mp->after) {
    case AFTER_YIELD:
        finish_yield(mp, mp->prev);
        break;
    case AFTER_PARK:
        finish_park(mp, mp->prev);
        break;
    case AFTER_DEAD:
        stack_put(mp->p, mp->dead);
        break;
    default:
        break;
    }
}

/* `next` is taken out of its queue by now; it is about to run on this M. */
static always_inline void set_running(struct m *mp, struct quoit_g *next)
{
    struct p *pp = mp->p;

    gstatus_set(next, Grunnable, Grunning);
    mp->curg = next;
    /* hint: thieves look whether the P has moved on */
    store_relaxed(&pp->schedtick, pp->schedtick + 1);
}

/* Into `next` from a context that is saved in *from. False: no stack to be had, nothing was done. */
static always_inline bool switch_into(struct m **mpp, struct context *from,
                                      struct sanitize_stack *old, struct quoit_g *next, bool dying)
{
    struct m *mp = *mpp;

    if (next->stk != NULL) {
        set_running(mp, next);
        sanitize_leave(old, &next->stk->san, dying);
        *mpp = context_switch(from, &next->ctx, mp);
        return true;
    }
    next->stk = stack_get(mp->p, next->class);
    if (unlikely(next->stk == NULL))
        return false;
    set_running(mp, next);
    sanitize_leave(old, &next->stk->san, dying);
    *mpp = context_begin(from, next->stk->start, goroutine_main, mp);
    return true;
}

/* Leaves curg for `next`, or for g0 when it is NULL; returns when curg runs again, with its M. */
static always_inline struct m *switch_away(struct m *mp, struct quoit_g *next, enum after after)
{
    struct quoit_g *gp = mp->curg;

    mp->prev = gp;
    mp->after = after;
    if (likely(next != NULL)) {
        if (likely(switch_into(&mp, &gp->ctx, &gp->stk->san, next, false))) {
            sanitize_arrive(&gp->stk->san);
            finish_switch(mp);
            return mp;
        }
        stack_wanting(mp, next);
    }
    return switch_to_g0(mp, after);
}

#endif
