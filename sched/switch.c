/* SPDX-License-Identifier: BSD-3-Clause
 * switch.c - the rarer ways from stack to stack, and what is done once one has been left
 */
#include "switch.h"

#include "globrunq.h"
#include "runq.h"
#include "throw.h"

void finish_yield(struct m *mp, struct quoit_g *gp)
{
    gstatus_set(gp, Grunning, Grunnable);
    runq_add(mp->p, gp);
    wakep(mp);
}

void finish_park(struct m *mp, struct quoit_g *gp)
{
    /* Copied first: once the goroutine waits, another M may ready and run it. */
    int (*unlockf)(void *) = mp->unlock;
    void *arg = mp->unlockarg;

    mp->p->count.parked++;
    gstatus_set(gp, Grunning, Gwaiting);
    if (unlockf == NULL)
        return;
    mp->locks++;
    if (unlikely(unlockf(arg) == 0))
        ready(mp, gp);
    mp->locks--;
}

struct m *switch_to_g0(struct m *mp, enum after after)
{
    struct quoit_g *gp = mp->curg;
    struct sanitize_stack *san = &gp->stk->san;

    mp->prev = gp;
    mp->after = after;
    mp->curg = NULL;
    sanitize_leave(san, &mp->g0stack, after == AFTER_DEAD);
    mp = context_switch(after == AFTER_DEAD ? &mp->scratch : &gp->ctx, &mp->g0, mp);
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

/* Others run on, and what they free lets it start later; findrunnable looks whether anything can. */
cold void stack_wanting(struct m *mp, struct quoit_g *next)
{
    next->flags |= G_STACKWAIT;
    globrunqput(mp->p->node, next);
}
