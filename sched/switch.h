/* SPDX-License-Identifier: BSD-3-Clause
 * switch.h - straight from one goroutine to the next
 *
 * Who leaves goes to the next goroutine's stack in one switch; g0 runs only when there is
 * nothing local. What must not happen before the old stack is left (its state, its queue, its
 * lock, its memory) is noted in m->prev and m->after, and done first thing by whoever runs
 * next: finish_switch. The kernel's scheduler does the same.
 *
 *     leaving                              arriving, on the other stack
 *     m->prev = gp, m->after = what        finish_switch(m)
 *     state of next: Grunning                  AFTER_YIELD  Grunnable, tail of the queue
 *                                              AFTER_FIRST  Grunnable, head of the queue
 *                                              AFTER_LOST   Grunnable, in the shared queue
 *     m->curg = next                           AFTER_PARK   Gwaiting, unlock; if it says no: ready
 *     context_switch                           AFTER_DEAD   the stack back to the cache
 *
 * The new state is stored after the context was saved (edge G-OFF), so whoever finds the
 * goroutine in that state may run it. The M comes back as the value of context_switch: the
 * goroutine may have moved.
 */
#ifndef QUOIT_SCHED_SWITCH_H
#define QUOIT_SCHED_SWITCH_H

#include "globrunq.h"
#include "gstatus.h"
#include "p.h"
#include "pick.h"
#include "proc.h"
#include "stack.h"
#include "throw.h"

/* next cannot run here: no stack is to be had, so it goes to the shared queue, to be tried again;
 * or it is locked to another M, which g0 finds in mp->forother. */
cold void not_here(struct m *mp, struct quoit_g *next);
/* The same as set_running where something is in the way. */
cold bool set_running_slow(struct m *mp, struct quoit_g *next);
struct m *switch_to_g0(struct m *mp, enum after after);
/* Into an unstarted goroutine on a fresh stack. False: no stack to be had, nothing was done. */
bool switch_begin(struct m **mpp, struct context *from, struct sanitize_stack *old,
                  struct quoit_g *next, bool dying);

/* ---- first thing on a stack that was switched to -------------------------------------------- */

static always_inline void finish_yield(struct m *mp, struct quoit_g *gp)
{
    gstatus_set(gp, Grunning, Grunnable);
    if (unlikely(!runq_put(&mp->p->runq, gp)))
        runq_spill(mp->p, gp);
    wakep(mp);
}

static always_inline void finish_park(struct m *mp, struct quoit_g *gp)
{
    /* Copied first: once the goroutine waits, another M may ready and run it. */
    int (*unlockf)(void *) = mp->unlock;
    void *arg = mp->unlockarg;

    count_add(&mp->p->count.parked, 1);
    gstatus_set(gp, Grunning, Gwaiting);
    if (unlockf == NULL)
        return;
    mp->locks++;
    if (unlikely(unlockf(arg) == 0))
        ready(mp, gp);
    mp->locks--;
}

static always_inline void finish_park_store(struct m *mp, struct quoit_g *gp)
{
    uint64_t value = mp->value, *word = mp->unlockarg;

    count_add(&mp->p->count.parked, 1);
    gstatus_set(gp, Grunning, Gwaiting);
    /* order PARK out: the goroutine waits, its stack left, before the lock is free; in:
     * lock_queue in sema.c, the one user */
    store_release(word, value);
}

/* Who was called to the door has left the stack. */
cold void finish_rare(struct m *mp);

/* In the order of how often they come. No switch: it would be a jump through a table, which a
 * core mispredicts just where goroutines of several kinds take turns. */
static always_inline void finish_switch(struct m *mp)
{
    uint32_t after = mp->after;

    if (after == AFTER_PARK_STORE)
        finish_park_store(mp, mp->prev);
    else if (after == AFTER_YIELD)
        finish_yield(mp, mp->prev);
    else if (after == AFTER_DEAD)
        stack_put(mp->p, mp->dead);
    else if (after == AFTER_PARK)
        finish_park(mp, mp->prev);
    else if (unlikely(after != AFTER_NOTHING))
        finish_rare(mp);
}

/* ---- last things on the one that is left ---------------------------------------------------- */

static always_inline void set_current(struct m *mp, struct quoit_g *next)
{
    struct p *pp = mp->p;

    /* order SYNC out: what ran here before comes first; in: runs */
    store_release(&mp->curg, next);
    /* hint: thieves look whether the P has moved on */
    store_relaxed(&pp->schedtick, pp->schedtick + 1);
    /* order SYNC full: it shows before it reads anything; in: call_all */
    fence_light();
}

/* The M goes to g0. */
static always_inline void set_nobody(struct m *mp)
{
    /* order SYNC out: as in set_current; in: runs */
    store_release(&mp->curg, NULL);
}

/* `next` is taken out of its queue by now; it is about to run on this M. False: it is locked to
 * another one. */
static always_inline bool set_running(struct m *mp, struct quoit_g *next)
{
    if (unlikely(!gstatus_put(next, Grunnable, Grunning)))
        return set_running_slow(mp, next);
    set_current(mp, next);
    return true;
}

/* The same for one that starts, on stk. Until it runs its record has no stack: that is how a
 * scanner knows that there is none to look at. */
static always_inline void set_started(struct m *mp, struct quoit_g *next, struct stack *stk)
{
    /* Nothing locks a goroutine that has not started. */
    (void)set_running(mp, next);
    next->stk = stk;
    /* Where an argument lies there is no room for it yet: run_copy() does it then. */
    if (likely(!(next->flags & G_COPY))) {
        next->site = next->born;
        /* Who has a handle may have cancelled it already: then attr_store has begun this word. */
        if (!(next->flags & G_JOINABLE))
            store_relaxed(&next->limits, 0);
        next->held = 0;
    }
}

/* Into `next` from a context that is saved in *from; false as switch_begin. */
static always_inline bool switch_into(struct m **mpp, struct context *from,
                                      struct sanitize_stack *old, struct quoit_g *next, bool dying)
{
    struct m *mp = *mpp;

    if (unlikely(next->stk == NULL))
        return switch_begin(mpp, from, old, next, dying);
    if (unlikely(!set_running(mp, next)))
        return false;
    sanitize_leave(old, &next->stk->san, dying);
    *mpp = context_switch(from, &next->ctx, mp);
    return true;
}

/* Leaves curg for `next`, or for g0 when it is NULL; returns when curg runs again, with its M. */
static always_inline struct m *switch_away(struct m *mp, struct quoit_g *next, enum after after)
{
    struct quoit_g *gp = mp->curg;

    if (likely(next != NULL)) {
        mp->prev = gp;
        mp->after = after;
        if (likely(switch_into(&mp, &gp->ctx, &gp->stk->san, next, false))) {
            sanitize_arrive(&mp->curg->stk->san);
            finish_switch(mp);
            return mp;
        }
        not_here(mp, next);
    }
    return switch_to_g0(mp, after);
}

/* Parks curg until ready. unlock(arg), unless NULL, runs when the stack has been left and must
 * not call Quoit; 0 from it: runnable again at once. Returns the M on which it goes on. */
static always_inline struct m *park(struct m *mp, int (*unlock)(void *), void *arg,
                                    const char *reason)
{
    if (unlikely(mp->locks != 0))
        pinned(reason);
    mp->curg->reason = reason;
    mp->curg->since = load_relaxed(&sched.coarse);
    mp->unlock = unlock;
    mp->unlockarg = arg;
    return switch_away(mp, pick_local(mp, true), AFTER_PARK);
}

/* The same where all that unlock would do is store `value` into *word, which is locked by the
 * caller. */
static always_inline struct m *park_store(struct m *mp, uint64_t *word, uint64_t value,
                                          const char *reason)
{
    if (unlikely(mp->locks != 0))
        pinned(reason);
    mp->curg->reason = reason;
    mp->curg->since = load_relaxed(&sched.coarse);
    mp->value = value;
    mp->unlockarg = word;
    return switch_away(mp, pick_local(mp, true), AFTER_PARK_STORE);
}

#endif
