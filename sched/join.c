/* SPDX-License-Identifier: BSD-3-Clause
 * join.c - waiting for a goroutine to end, or running it on the spot
 *
 * A child that has not started and is the newest on this P runs on the joiner's own stack: the
 * joiner would wait for it anyway, so fork-join costs a queue entry and a call. The child keeps
 * its own record: id, name, state; should it park, it parks with the joiner's frames below it,
 * and goes on wherever it is readied. Not in place when less than INPLACE_ROOM of stack is left
 * or when the child asked for a stack size or a node, or the joiner is pinned, holds a lock of
 * other people's, or has a deadline, which could not end its wait. Else it waits in sleep.c.
 *
 * The end of a child meets its joiner in one word, child->join (edge JOIN):
 *
 *     joiner, once it has left its stack      child, at its end
 *     1. the stack is left, state waiting     1. result stored, state dead
 *     2. NONE -> joiner; DONE: go on at once  2. exchange for DONE; a joiner there: ready it
 *
 * Whoever comes second sees the other.
 */
#include "join.h"

#include "fork.h"
#include "forkq.h"
#include "gfree.h"
#include "gstatus.h"
#include "lockthread.h"
#include "p.h"
#include "stack.h"
#include "switch.h"
#include "throw.h"

#include <errno.h>

enum { INPLACE_ROOM = 16 << 10 };

static always_inline bool room_left(const struct stack *stk)
{
    return (char *)__builtin_frame_address(0) - stk->low >= INPLACE_ROOM;
}

void inplace_ended(struct m *mp, struct quoit_g *child)
{
    struct quoit_g *host = child->host;

    if (unlikely(!may_end(mp)))
        pinned_end(mp);
    if (unlikely(child->flags & G_LOCKED))
        unlock_thread(mp, child);
    gstatus_set(child, Grunning, Gdead);
    /* order SYNC out: as in begin_inplace; in: runs */
    store_release(&mp->curg, host);
    gstatus_set(host, Gwaiting, Grunning);
    count_add(&mp->p->count.ended, 1);
    gfput(mp->p, child);
}

/* Called by context_call, so the host's frames can be walked as soon as it shows as waiting, and
 * quoit_goexit comes back to them through the same context. */
static int begin_inplace(void *arg)
{
    struct quoit_g *child = arg, *host = child->host;
    struct m *mp = m_get();
    int result;

    gstatus_set(host, Grunning, Gwaiting);
    /* order SYNC out: as in set_current, whose fence is that of the new state here; in: runs */
    store_release(&mp->curg, child);
    gstatus_set(child, Grunnable, Grunning);
    child->stk = host->stk;
    child->flags |= G_INPLACE;
    child->site = child->born;
    count_add(&mp->p->count.inplace, 1);
    leave(mp);
    result = child->fn(child->arg);
    mp = enter();
    if (unlikely(mp == NULL))
        child_returned();
    inplace_ended(mp, child);
    return result;
}

/* The child is out of its queue and ours alone. */
static always_inline struct m *run_inplace(struct m *mp, struct quoit_g *child, int *result)
{
    struct quoit_g *host = mp->curg;

    child->host = host;
    host->reason = "join, in place";
    host->since = load_relaxed(&sched.coarse);
    *result = context_call(&host->ctx, begin_inplace, child);
    return m_get();
}

int join(struct m **mpp, struct quoit_g *child, int *result)
{
    struct m *mp = *mpp;

    /* hint: of the flags only G_TIMED and G_LOCKED change while the child runs */
    if (unlikely((load_relaxed(&child->flags) & G_BIG) || (mp->curg->flags & G_LOCKED) ||
                 !may_end(mp) || load_relaxed(&mp->curg->limits) != 0 ||
                 mp->curg->held != 0 || !room_left(mp->curg->stk) ||
                 !forkq_pop_this(&mp->p->forkq, child)))
        return join_until(mpp, child, result, INT64_MAX);
    *mpp = run_inplace(mp, child, result);
    return 0;
}

void release(struct m *mp, struct quoit_g *gp)
{
    /* order JOIN in: the goroutine has left its record for good; out: g_ended */
    if (xchg_acq_rel(&gp->join, JOIN_RELEASED) != JOIN_DONE)
        return;
    if (mp != NULL)
        gfput(mp->p, gp);
    else
        gfput_shared(gp);
}
