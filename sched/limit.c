/* SPDX-License-Identifier: BSD-3-Clause
 * limit.c - quoit_cancel, and the deadline of a goroutine
 */
#include "limit.h"

#include "gstatus.h"
#include "init.h"
#include "proc.h"
#include "sema.h"
#include "timer.h"

#include <errno.h>

/* ---- the goroutine's own -------------------------------------------------------------------- */

static bool take_mark(struct quoit_g *gp)
{
    uint64_t limits = load_relaxed(&gp->limits);

    while (limits & LIMIT_CANCELLED)
        /* order CANCEL in: what was done before it was cancelled is seen; out: mark */
        if (cas_acquire(&gp->limits, &limits, limits & ~LIMIT_CANCELLED))
            return true;
    return false;
}

int limit_error(struct quoit_g *gp)
{
    return take_mark(gp) ? -ECANCELED : -ETIMEDOUT;
}

int limit_check(struct quoit_g *gp)
{
    int64_t deadline;

    if (take_mark(gp))
        return -ECANCELED;
    deadline = limit_deadline(gp);
    return deadline != INT64_MAX && deadline <= nanotime() ? -ETIMEDOUT : 0;
}

/* As it stands in the word; the past is the past. */
static uint64_t deadline_bits(int64_t ns)
{
    if (ns == INT64_MAX)
        return 0;
    return ns < 2 ? 2 : (uint64_t)ns & ~LIMIT_CANCELLED;
}

int64_t quoit_set_deadline(int64_t deadline_ns)
{
    struct m *mp = enter_g(__func__);
    struct quoit_g *gp = mp->curg;
    uint64_t limits = load_relaxed(&gp->limits);
    int64_t before = limit_deadline(gp);

    while (!cas_relaxed(&gp->limits, &limits,
                        deadline_bits(deadline_ns) | (limits & LIMIT_CANCELLED)))
        ;
    leave(mp);
    return before;
}

int quoit_cancelled(void)
{
    struct m *mp = enter_g(__func__);
    bool was = take_mark(mp->curg);

    leave(mp);
    return was ? -ECANCELED : 0;
}

/* ---- others --------------------------------------------------------------------------------- */

static void mark(struct quoit_g *gp)
{
    uint64_t limits = load_relaxed(&gp->limits);

    /* order CANCEL out: what was done before comes first; in: take_mark */
    while (!cas_release(&gp->limits, &limits, limits | LIMIT_CANCELLED))
        ;
}

/* gp is held where it waits. True: it is the caller's to make ready. Without a mark it has been
 * told meanwhile, for another one who cancelled it, and what it waits in now is none of ours. */
static bool end_held(struct quoit_g *gp)
{
    uintptr_t waits = limit_cancelled(gp) ? load_relaxed(&gp->waits) : 0;

    if (waits & WAITS_OP)
        netpoll_cancel((struct op *)(waits - WAITS_OP));
    return waits != 0 && !(waits & WAITS_OP) && timed_cancel((struct timed *)waits);
}

/* Others may hold it for a moment, to look at it. */
static void end_wait(struct m *mp, struct quoit_g *gp)
{
    int spins = 0;

    /* order CANCEL full: the mark is there before the state is read; in: gstatus_put */
    fence_heavy();
    while (load_relaxed(&gp->status) == Gwaiting) {
        if (gscan_begin(gp, Gwaiting)) {
            bool ended = end_held(gp);

            gscan_end(gp);
            if (ended)
                ready(mp, gp);
            return;
        }
        word_pause(&spins);
    }
}

int quoit_cancel(struct quoit_g *g)
{
    struct m *mp = enter();
    int e = g != NULL && (load_relaxed(&g->flags) & G_JOINABLE) ? 0 : -EINVAL;

    if (mp == NULL && !foreign_enter())
        return -ESHUTDOWN;
    if (e == 0) {
        mark(g);
        end_wait(mp, g);
    }
    if (mp != NULL)
        leave(mp);
    else
        foreign_leave();
    return e;
}
