/* SPDX-License-Identifier: BSD-3-Clause
 * cancel.c - the list of what is to end early, and asking the kernel for it
 *
 * The record of an operation stays on the list until its goroutine takes it off, which it does
 * before it goes on. So who holds the lock may look at each. One whose tag is 0 has ended already,
 * or is about to be handed to the ring.
 *
 * Turned down: LINK_TIMEOUT, an entry and a timer of the kernel's for each operation, where the
 * heap of timers is there anyhow; a word in each operation that the completion and the one who
 * cancels fight for, a locked operation for each of those that nobody cancels.
 */
#include "cancel.h"

#include "proc.h"
#include "syscall.h"

enum { HELP_MAX = 16 };

/* Between two tries. */
static const int64_t again_ns = 10000000;

/* ---- wanted --------------------------------------------------------------------------------- */

void netpoll_cancel(struct op *op)
{
    struct poller *pl = op->pl;
    struct m *mp;

    lock(&pl->mail);
    if (op->told == TOLD_NOT) {
        op->told_prev = NULL;
        op->told_next = pl->told;
        if (op->told_next != NULL)
            op->told_next->told_prev = op;
        pl->told = op;
        /* hint: read without the lock, as cancel_wanted */
        store_relaxed(&pl->ntold, pl->ntold + 1);
    }
    store_relaxed(&op->told, TOLD);
    unlock(&pl->mail);
    mp = load_relaxed(&pl->mp);
    if (mp == NULL)
        return;
    m_call(mp, WANT_MAIL);
    if (mp != m_get())
        netpoll_wake(mp);
}

void cancel_settle(struct op *op)
{
    struct poller *pl = op->pl;

    lock(&pl->mail);
    if (op->told != TOLD_NOT) {
        if (op->told_next != NULL)
            op->told_next->told_prev = op->told_prev;
        if (op->told_prev != NULL)
            op->told_prev->told_next = op->told_next;
        else
            pl->told = op->told_next;
        store_relaxed(&pl->ntold, pl->ntold - 1);
    }
    unlock(&pl->mail);
}

/* ---- asked for ------------------------------------------------------------------------------ */

void cancel_one(struct ring *r, uint64_t tag, uint32_t flags)
{
    struct io_uring_sqe *sqe = ring_entry(r);

    if (sqe == NULL)
        return;
    sqe->opcode = IORING_OP_ASYNC_CANCEL;
    sqe->addr = tag;
    sqe->cancel_flags = flags;
    sqe->user_data = UD_NONE;
}

/* Tags of those that are to be asked for now; how many. */
static unsigned take_tags(struct poller *pl, uint64_t *tags, unsigned most)
{
    int64_t now = nanotime();
    unsigned n = 0;

    lock(&pl->mail);
    if (now - pl->asked >= again_ns) {
        for (struct op *op = pl->told; op != NULL; op = op->told_next)
            /* hint: who ended looks without the lock whether it was told at all */
            store_relaxed(&op->told, TOLD);
        pl->asked = now;
    }
    for (struct op *op = pl->told; op != NULL && n < most; op = op->told_next) {
        /* hint: a tag that is over finds nothing */
        uint32_t gen = load_relaxed(&op->gen);

        if (op->told != TOLD || gen == 0)
            continue;
        store_relaxed(&op->told, TOLD_ASKED);
        tags[n++] = op_tag(op, gen);
    }
    unlock(&pl->mail);
    return n;
}

int64_t cancel_look(struct m *mp)
{
    struct poller *pl = mp->poller;
    struct ring *r = &pl->ring;
    uint64_t tags[HELP_MAX];
    unsigned n;

    /* What is not in the kernel yet it would not find. */
    netpoll_flush(mp);
    while (mp->poll_pending == 0 && (n = take_tags(pl, tags, HELP_MAX)) > 0) {
        for (unsigned i = 0; i < n; i++)
            cancel_one(r, tags[i], 0);
        /* It takes none: they come again. */
        if (ring_submit(r) < (int)n)
            ring_drop_pending(r);
    }
    return nanotime() + again_ns;
}

void netpoll_mail(struct m *mp)
{
    (void)cancel_before(mp, 0);
}

void cancel_for(struct poller *pl)
{
    uint64_t tags[HELP_MAX];
    unsigned n;

    if (!probed.cancel_by_others || !ring_trylock(&pl->ring))
        return;
    n = take_tags(pl, tags, HELP_MAX);
    for (unsigned i = 0; i < n; i++)
        ring_cancel_sync(&pl->ring, tags[i]);
    ring_unlock(&pl->ring);
}
