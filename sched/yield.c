/* SPDX-License-Identifier: BSD-3-Clause
 * yield.c - let others run
 *
 * The cheapest switch there is, so it shows what a switch costs. The common case (the next one
 * is in the ring, and whoever switched back here had yielded too) is a straight line; each
 * exception is a call in tail position. So the compiler has nothing to keep over
 * context_switch, which saves every register anyhow, and a yielding goroutine dirties two lines
 * of its stack, not three: 13 against 17 ns with a thousand of them.
 */
#include "globrunq.h"
#include "proc.h"
#include "switch.h"

/* ---- before the switch ---------------------------------------------------------------------- */

static noinline void yield_slow(void)
{
    struct m *mp = enter();
    struct quoit_g *next;

    if (mp == NULL) {
        os_yield();
        return;
    }
    if (unlikely(mp->locks != 0))
        pinned("quoit_yield");
    next = pick(mp, false);
    /* Alone: nobody to let run. */
    if (next != NULL)
        mp = switch_away(mp, next, AFTER_YIELD);
    else if (mp->lockedg != NULL && work_waits(mp->p))
        mp = switch_to_g0(mp, AFTER_YIELD);
    leave(mp);
}

/* A scanner holds the one that was to run: wait for it, then go on as if it had not. Or another M
 * has to run it. */
static cold void yield_scanned(struct m *mp, struct quoit_g *next)
{
    if (!set_running_slow(mp, next)) {
        not_here(mp, next);
        leave(switch_to_g0(mp, AFTER_YIELD));
        return;
    }
    sanitize_leave(&mp->prev->stk->san, &next->stk->san, false);
    mp = context_switch(&mp->prev->ctx, &next->ctx, mp);
    sanitize_arrive(&mp->curg->stk->san);
    finish_switch(mp);
    leave(mp);
}

/* ---- after it ------------------------------------------------------------------------------- */

static noinline void finish_any(struct m *mp)
{
    finish_switch(mp);
    leave(mp);
}

/* A scanner holds the one that yielded, or the ring is full. */
static noinline void finish_yield_slow(struct m *mp, struct quoit_g *gp)
{
    gstatus_scanned(gp);
    runq_add(mp->p, gp);
    wakep(mp);
    leave(mp);
}

static noinline void wakep_and_leave(struct m *mp)
{
    wakep_slow(mp);
    leave(mp);
}

/* ---- the straight line ---------------------------------------------------------------------- */

void quoit_yield(void)
{
    struct m *mp = m_get();
    struct quoit_g *gp, *next;
    struct p *pp;

    if (unlikely(mp == NULL)) {
        yield_slow();
        return;
    }
    store_relaxed(&mp->inside, 1);
    /* order INSIDE full: inside is set before revoked is read; in: m_wake_all */
    fence_light();
    /* hint: it counts only if revoked is not set */
    pp = load_relaxed(&mp->p);
    if (unlikely((load_relaxed(&mp->revoked) | (uint32_t)mp->locks) != 0 ||
                 pp->schedtick >= pp->fairat ||
                 load_relaxed(&pp->runq.next) != NULL)) {
        yield_slow();
        return;
    }
    next = runq_get(&pp->runq);
    if (unlikely(next == NULL)) {
        yield_slow();
        return;
    }
    gp = mp->curg;
    mp->prev = gp;
    mp->after = AFTER_YIELD;
    if (unlikely(!gstatus_put(next, Grunnable, Grunning))) {
        yield_scanned(mp, next);
        return;
    }
    set_current(mp, next);
    sanitize_leave(&gp->stk->san, &next->stk->san, false);
    mp = context_switch(&gp->ctx, &next->ctx, mp);
    sanitize_arrive(&mp->curg->stk->san);

    if (unlikely(mp->after != AFTER_YIELD)) {
        finish_any(mp);
        return;
    }
    gp = mp->prev;
    if (unlikely(!gstatus_put(gp, Grunning, Grunnable) || !runq_put(&mp->p->runq, gp))) {
        finish_yield_slow(mp, gp);
        return;
    }
    /* order SPIN-DOWN full: the put is out before idle P's are looked for; in: second_look */
    fence_light();
    if (unlikely(load_relaxed(&sched.npidle) != 0)) {
        wakep_and_leave(mp);
        return;
    }
    leave(mp);
}
