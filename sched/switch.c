/* SPDX-License-Identifier: BSD-3-Clause
 * switch.c - the rarer ways from stack to stack
 */
#include "switch.h"

#include "globrunq.h"

bool switch_begin(struct m **mpp, struct context *from, struct sanitize_stack *old,
                  struct quoit_g *next, bool dying)
{
    struct m *mp = *mpp;
    struct stack *stk = stack_get(mp->p, next->class);

    if (unlikely(stk == NULL))
        return false;
    sanitize_stack_reuse(&stk->san, stk->low, stack_usable(stk));
    set_started(mp, next, stk);
    sanitize_leave(old, &stk->san, dying);
    *mpp = context_begin(from, stk->start, goroutine_main, mp);
    return true;
}

/* No call for help: whoever was called to the door leaves the P. */
static void finish_first(struct m *mp, struct quoit_g *gp)
{
    struct quoit_g *kicked;

    gstatus_set(gp, Grunning, Grunnable);
    kicked = runq_put_next(&mp->p->runq, gp);
    if (kicked != NULL)
        runq_add(mp->p, kicked);
}

static void finish_lost(struct m *mp, struct quoit_g *gp)
{
    struct node *np = mp->lastp->node;

    gstatus_set(gp, Grunning, Grunnable);
    globrunqput(np, gp);
    wakep(NULL);
}

cold void finish_rare(struct m *mp)
{
    if (mp->after == AFTER_FIRST)
        finish_first(mp, mp->prev);
    else
        finish_lost(mp, mp->prev);
}

struct m *switch_to_g0(struct m *mp, enum after after)
{
    struct quoit_g *gp = mp->curg;
    struct sanitize_stack *san = &gp->stk->san;

    mp->prev = gp;
    mp->after = after;
    set_nobody(mp);
    sanitize_leave(san, &mp->g0stack, false);
    mp = context_switch(&gp->ctx, &mp->g0, mp);
    sanitize_arrive(san);
    finish_switch(mp);
    return mp;
}

bool switch_from_g0(struct m *mp, struct quoit_g *next)
{
    mp->after = AFTER_NOTHING;
    if (!switch_into(&mp, &mp->g0, &mp->g0stack, next, false))
        return false;
    sanitize_arrive(&mp->g0stack);
    finish_switch(mp);
    return true;
}

/* Others run on, and what they free lets it start later; schedule() looks whether anything can. */
cold void not_here(struct m *mp, struct quoit_g *next)
{
    if (next->stk == NULL)
        globrunqput(mp->p->node, next);
    else
        mp->forother = next;
}

cold bool set_running_slow(struct m *mp, struct quoit_g *next)
{
    gstatus_scanned(next);
    if ((next->flags & G_LOCKED) && next->lockedm != mp) {
        gstatus_set(next, Grunning, Grunnable);
        return false;
    }
    set_current(mp, next);
    /* order SYNC full: where membarrier is forbidden every switch comes here; in: call_all */
    fence_full();
    return true;
}
