/* SPDX-License-Identifier: BSD-3-Clause
 * submit.c - when entries go to the kernel
 *
 * When SUBMIT_AT have gathered (op_flush), when the scheduler runs dry and at its fairness tick if
 * the oldest is old by then (netpoll_rest), a tick that comes early when goroutines run for long
 * between two switches (submit_first); and at once when nothing is in flight, so that a lone reader
 * among many that compute does not wait for them. The last rule costs a system call a round where
 * several goroutines do nothing but I/O, so it rests while rounds are short and bring more than one
 * (netpoll_flush).
 *
 * None of this helps who gathered something and then ran a goroutine that computes, or blocks in
 * foreign code: what is older than overdue_ns the watchman submits, who is no owner of the ring but
 * keeps the owner out meanwhile (m_flush). Turned down: a signal to the owner, which ends calls of
 * the program with EINTR.
 */
#include "proc.h"

#include "op.h"
#include "poller.h"

/* So long after it has been filled in an entry is submitted by others. */
static const int64_t overdue_ns = 500000;

void submit_first(struct m *mp, struct poller *pl)
{
    struct p *pp = mp->p;

    /* hint: read by others as netpoll_overdue */
    store_relaxed(&pl->since, nanotime());
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

bool netpoll_overdue(const struct m *m2, int64_t now)
{
    /* order POLLER in: the record is initialised; out: netpoll_open */
    const struct poller *pl = load_acquire(&m2->poller);

    /* Elsewhere the kernel takes entries from the owner alone. */
    return pl != NULL && load_relaxed(&m2->poll_pending) > 0 &&
           now - load_relaxed(&pl->since) >= overdue_ns &&
           !(probed.flags & IORING_SETUP_SINGLE_ISSUER);
}

/* The ring's number in the kernel's list is one of its owner's list. */
void netpoll_flush_for(struct m *m2)
{
    struct ring *r = &m2->poller->ring;
    unsigned flags = r->enter_flags;
    int fd = r->enter_fd;

    r->enter_fd = r->fd;
    r->enter_flags = 0;
    netpoll_flush(m2);
    r->enter_fd = fd;
    r->enter_flags = flags;
}
