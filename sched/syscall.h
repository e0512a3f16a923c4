/* SPDX-License-Identifier: BSD-3-Clause
 * syscall.h - calling an M to the door, and taking its P
 */
#ifndef QUOIT_SCHED_SYSCALL_H
#define QUOIT_SCHED_SYSCALL_H

#include "gmp.h"

/* At its next entry the M looks what is wanted. Any thread; the heavy fence is the caller's. */
void m_call(struct m *mp, enum want want);
/* Called for that no more. */
void m_forget(struct m *mp, enum want want);
/* After m_call(mp, WANT_P) and fence_heavy(): its P, or NULL when it is inside, has come in
 * meanwhile, is pinned, or has none. computes: its goroutine does, and is not known to block for
 * it. Any thread but its own. */
struct p *m_take(struct m *mp, bool computes);

/* What mp has gathered is submitted for it, if it is outside. Any thread but its own. */
void m_flush(struct m *mp);

/* All of that, for one. */
struct p *m_call_take(struct m *mp, bool computes);

/* It runs code of the user's, not in a marked call. A hint. */
bool runs_outside(const struct m *mp);

/* Code of the user's that may go on in another thread comes to the door of its M, without a call of
 * its own, and gives way if it is wanted. mp is stale afterwards. */
void door(struct m *mp, enum rung rung);

/* quoit_block of a goroutine that is locked to its thread, or where no thread is to be had: the P
 * is handed off at once, fn runs right here. mp is inside, and is stale afterwards; the caller is
 * outside then. */
int block_inline(struct m *mp, quoit_fn fn, void *arg);

#endif
