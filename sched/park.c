/* SPDX-License-Identifier: BSD-3-Clause
 * park.c - ready, the only way back from park (switch.h)
 */
#include "cpu.h"

#include "proc.h"
#include "globrunq.h"
#include "gstatus.h"
#include "newproc.h"
#include "runq.h"
#include "switch.h"

/* Its completion was faster than the goroutine: it is about to wait, on another M. */
static cold void wait_parked(const struct quoit_g *gp)
{
    for (int spins = 0;; spins++) {
        /* order G-OFF in: its context is saved; out: gstatus_set */
        uint32_t status = load_acquire(&gp->status);

        if (status == Gwaiting)
            return;
        if (status != Grunning)
            gstatus_bad(gp, Gwaiting, Grunnable);
        if (spins < 100)
            cpu_relax();
        else
            os_yield();
    }
}

static always_inline void waiting_to_runnable(struct quoit_g *gp)
{
    /* order G-OFF in: its context is saved; out: gstatus_set */
    if (unlikely(load_acquire(&gp->status) != Gwaiting))
        wait_parked(gp);
    gstatus_set(gp, Gwaiting, Grunnable);
}

void make_runnable(struct m *mp, struct quoit_g *gp)
{
    /* hint: what is not born is in no other hands */
    if (unlikely(load_relaxed(&gp->status) == Gdead))
        g_born(mp, gp);
    else
        waiting_to_runnable(gp);
}

void ready(struct m *mp, struct quoit_g *gp)
{
    struct quoit_g *kicked;

    waiting_to_runnable(gp);
    if (unlikely(mp == NULL || mp->p == NULL)) {
        globrunqput(&sched.nodes[gp->node], gp);
    } else {
        kicked = runq_put_next(&mp->p->runq, gp);
        if (kicked != NULL)
            runq_add(mp->p, kicked);
    }
    wakep(mp);
}

void quoit_park(int (*unlock)(void *arg), void *arg, const char *reason)
{
    leave(park(enter_g(__func__), unlock, arg, reason != NULL ? reason : "park"));
}
