/* SPDX-License-Identifier: BSD-3-Clause
 * lockthread.c - goroutines that stay on one thread, for libraries that keep state in it
 *
 * A locked goroutine carries a mark in its scan word, so that whoever is about to run it comes
 * through the slow path there, and nobody else pays. Its M runs nothing else: while the goroutine
 * holds the P the fairness tick is always due (p->fairat is 0), and pick_fair sends every switch
 * to g0. There the M gives the P away and sleeps; who picks the goroutine gives it a P back:
 *
 *     the locked goroutine's M             another M
 *     1. the goroutine parks or yields     1. picks the goroutine: not here
 *     2. g0: hands its P off, sleeps       2. g0: its own P into m->nextp, wakes the M
 *     3. takes the P, goes on              3. sleeps until it has a P again
 *
 * 2 on the right may come before 2 on the left: then the sleep ends at once.
 *
 * A goroutine that ends locked takes its M along: that one gives its P away, stays until what it
 * has in flight for others has completed, and leaves.
 */
#include "lockthread.h"

#include "globrunq.h"
#include "gstatus.h"
#include "m.h"
#include "p.h"
#include "proc.h"
#include "throw.h"

#include <errno.h>

enum { LOOK_NS = 1000000000 };

void lock_thread(struct m *mp, struct quoit_g *gp)
{
    /* hint: who joins it reads its other flags meanwhile */
    store_relaxed(&gp->flags, gp->flags | G_LOCKED);
    gp->lockedm = mp;
    gp->lockdepth = 0;
    mp->lockedg = gp;
    add_relaxed(&gp->scan, SCAN_LOCKED);
    if (mp->p != NULL)
        mp->p->fairat = 0;
}

void unlock_thread(struct m *mp, struct quoit_g *gp)
{
    /* hint: as in lock_thread */
    store_relaxed(&gp->flags, gp->flags & (uint8_t)~G_LOCKED);
    mp->lockedg = NULL;
    add_relaxed(&gp->scan, -(uint32_t)SCAN_LOCKED);
}

void locked_ended(struct m *mp, struct quoit_g *gp)
{
    unlock_thread(mp, gp);
    /* The thread that quoit_main was called on is its caller's. */
    mp->leaving = mp != sched.m0;
}

/* ---- on g0 ---------------------------------------------------------------------------------- */

/* Its own P to the M of the goroutine that it has picked. */
static void pass_on(struct m *mp)
{
    struct quoit_g *gp = mp->forother;

    mp->forother = NULL;
    m_give(gp->lockedm, releasep(mp));
}

static struct p *wait_for_p(struct m *mp)
{
    struct p *pp = NULL;

    lock(&sched.lock);
    mp->parked = true;
    unlock(&sched.lock);
    while (pp == NULL && !load_relaxed(&sched.stopping)) {
        struct glist list = { NULL, NULL, 0 };

        netpoll_sleep(mp, INT64_MAX);
        lock(&sched.lock);
        pp = mp->nextp;
        store_relaxed(&mp->nextp, NULL);
        mp->parked = pp == NULL;
        if (pp == NULL)
            m_looks_locked(mp);
        unlock(&sched.lock);
        netpoll_reap(mp, &list);
        injectglist(mp, &list);
        if (pp == NULL)
            m_rests(mp);
    }
    return pp;
}

struct quoit_g *locked_turn(struct m *mp)
{
    struct quoit_g *gp = mp->lockedg;
    struct p *pp;

    if (mp->forother != NULL) {
        pass_on(mp);
        return NULL;
    }
    if (mp->p != NULL)
        handoffp(releasep(mp));
    pp = wait_for_p(mp);
    if (pp == NULL)
        return NULL;
    acquirep(mp, pp);
    if (!load_relaxed(&sched.gcwaiting))
        return gp;
    globrunqput(pp->node, gp);
    return NULL;
}

/* Others may take completions from here without a word: so it looks up now and then. What has
 * gathered is submitted by the sleep. */
void last_turn(struct m *mp)
{
    if (mp->p != NULL)
        handoffp(releasep(mp));
    tell_drained();
    while (!load_relaxed(&sched.stopping) &&
           mp->poll_pending + load_relaxed(&mp->poll_inflight) > 0) {
        struct glist list = { NULL, NULL, 0 };

        netpoll_sleep(mp, nanotime() + LOOK_NS);
        netpoll_reap(mp, &list);
        injectglist(mp, &list);
    }
}

/* ---- public --------------------------------------------------------------------------------- */

int quoit_lock_thread(void)
{
    struct m *mp = enter_g(__func__);
    struct quoit_g *gp = mp->curg;
    int depth;

    if (!(gp->flags & G_LOCKED))
        lock_thread(mp, gp);
    CHECK(gp->lockdepth < UINT16_MAX, "more than 65535 deep");
    depth = ++gp->lockdepth;
    leave(mp);
    return depth;
}

int quoit_unlock_thread(void)
{
    struct m *mp = enter_g(__func__);
    struct quoit_g *gp = mp->curg;
    int depth = -EPERM;

    if ((gp->flags & G_LOCKED) && gp->lockdepth > 0) {
        depth = --gp->lockdepth;
        if (depth == 0 && !mp->foreign && gp->held == 0)
            unlock_thread(mp, gp);
    }
    leave(mp);
    return depth;
}
