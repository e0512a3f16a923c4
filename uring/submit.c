/* SPDX-License-Identifier: BSD-3-Clause
 * submit.c - when entries go to the kernel
 *
 * When SUBMIT_AT have gathered (op_flush), when the scheduler runs dry and at its fairness tick if
 * the oldest is old by then (netpoll_rest), a tick that comes early when goroutines run for long
 * between two switches (submit_first); and at once when nothing is in flight, so that a lone reader
 * among many that compute does not wait for them. The last rule costs a system call a round where
 * several goroutines do nothing but I/O, so it rests while rounds are short and bring more than one
 * (netpoll_flush).
 */
#include "proc.h"

#include "op.h"
#include "poller.h"

void submit_first(struct m *mp, struct poller *pl)
{
    struct p *pp = mp->p;

    pl->since = nanotime();
    pl->tick = pp->schedtick;
    if (pp->fairat > pl->tick + pl->span)
        pp->fairat = pl->tick + pl->span;
}

/* How many switches fit into ROUND_NS if they go on as since the first of this round. */
static void measure_round(struct poller *pl, const struct p *pp, int64_t ns)
{
    uint64_t switches = pp != NULL ? pp->schedtick - pl->tick : 0;

    if (switches == 0)
        return;
    /* Another P's count says nothing: it makes a large number, and the next round mends it. */
    if (switches < SPAN_MOST)
        switches = switches * (uint64_t)ROUND_NS / (uint64_t)(ns + 1);
    pl->span = switches < 1 ? 1 : switches > SPAN_MOST ? SPAN_MOST : (uint32_t)switches;
}

/* At half of ROUND_NS it is old already, or each look would be followed by another one soon. */
uint32_t netpoll_rest(struct m *mp)
{
    struct poller *pl = mp->poller;
    int64_t ns = nanotime() - pl->since;

    if (ns >= ROUND_NS / 2)
        return 0;
    measure_round(pl, mp->p, ns);
    return 1 + pl->span * (uint32_t)(ROUND_NS - ns) / ROUND_NS;
}

void netpoll_flush(struct m *mp)
{
    struct poller *pl = mp->poller;
    uint32_t n = mp->poll_pending, taken;
    int64_t ns;
    int e;

    if (n == 0)
        return;
    ns = nanotime() - pl->since;
    pl->eager = n + load_relaxed(&mp->poll_inflight) < 2 || ns > ROUND_NS;
    measure_round(pl, mp->p, ns);
    /* Counted first: another M may take the completion before the kernel has come back to us. */
    add_relaxed(&mp->poll_inflight, n);
    e = ring_submit(&pl->ring);
    taken = e > 0 ? (uint32_t)e : 0;
    if (taken < n) {
        add_relaxed(&mp->poll_inflight, taken - n);
        op_cut(pl, taken);
    }
    store_relaxed(&mp->poll_pending, n - taken);
    store_relaxed(&pl->ring_ops, pl->ring_ops + taken);
}
