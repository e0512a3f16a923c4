/* SPDX-License-Identifier: BSD-3-Clause
 * drain.c - the end of an M's ring: what is in flight is cancelled and waited for
 *
 * Called at the end of all only: the goroutines that wait for these operations are abandoned.
 */
#include "cpu.h"

#include "proc.h"

#include "cancel.h"
#include "op.h"
#include "poller.h"

/* Between two rounds of cancelling, and for all of them: less than the end of all gives an M
 * (sched/init.c). */
static const int64_t cancel_ns = 10000000, drain_ns = 500000000;

static void cancel_all(struct poller *pl)
{
    struct ring *r = &pl->ring;

    if (probed.cancel_any) {
        cancel_one(r, 0, IORING_ASYNC_CANCEL_ANY | IORING_ASYNC_CANCEL_ALL);
        return;
    }
    while (!ring_trylock(r))
        cpu_relax();
    for (const struct op *op = pl->inflight; op != NULL; op = op->next)
        cancel_one(r, op_tag(op, op->gen), 0);
    ring_unlock(r);
    if (load_relaxed(&pl->armed))
        cancel_one(r, UD_WAKE, 0);
}

/* Nothing may write into a stack or buffer after this, if it says so. Some calls have not begun
 * to block when they are cancelled first: so again and again. Some cannot be cancelled and end by
 * themselves, or not at all. The goroutines are abandoned. */
bool poller_drain(struct m *mp)
{
    struct poller *pl = mp->poller;
    struct glist abandoned = { NULL, NULL, 0 };
    int64_t until = nanotime() + drain_ns;

    ring_drop_pending(&pl->ring);
    while (load_relaxed(&mp->poll_inflight) > 0 || load_relaxed(&pl->armed)) {
        if (nanotime() > until)
            return false;
        cancel_all(pl);
        if (ring_wait(&pl->ring, nanotime() + cancel_ns) < 0)
            poller_nap(pl);
        netpoll_reap(mp, &abandoned);
    }
    return true;
}
