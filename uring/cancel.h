/* SPDX-License-Identifier: BSD-3-Clause
 * cancel.h - operations that are to end early
 *
 * An operation in a ring is ended by asking the kernel to cancel it; its goroutine goes on when it
 * has completed all the same, so no buffer is touched after that. Who wants it, a deadline or
 * quoit_cancel, puts the operation on the list of its ring (netpoll_cancel). The owner submits what
 * is there: at its next entry (WANT_MAIL), when it wakes from its ring, and again every AGAIN_NS,
 * for the kernel misses one that is just about to block. When the owner is outside, whoever reaps
 * for it asks the kernel in its place (cancel_for): a ring of several submitters allows that.
 *
 * May these touch the list at the same time? No, it has a lock, and nobody waits under that.
 */
#ifndef QUOIT_URING_CANCEL_H
#define QUOIT_URING_CANCEL_H

#include "gmp.h"

#include "op.h"
#include "poller.h"

/* An entry that cancels; user_data as op_tag has it. No room: nothing is done. */
void cancel_one(struct ring *r, uint64_t tag, uint32_t flags);

/* Is anything on the list? A hint. */
static inline bool cancel_wanted(const struct poller *pl)
{
    return unlikely(load_relaxed(&pl->ntold) != 0);
}

/* The owner: what is new or has been asked for long ago. Returns when to look again. */
int64_t cancel_look(struct m *mp);

/* The owner: nothing but a load where nothing is wanted. The deadline, or when to look again if
 * that comes before. */
static inline int64_t cancel_before(struct m *mp, int64_t deadline)
{
    int64_t again;

    if (!cancel_wanted(mp->poller))
        return deadline;
    again = cancel_look(mp);
    return again < deadline ? again : deadline;
}

/* Anybody, for an owner that does not come. */
void cancel_for(struct poller *pl);

/* The operation waits in its ring no longer: off the list. Its goroutine. */
void cancel_settle(struct op *op);

#endif
