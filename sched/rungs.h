/* SPDX-License-Identifier: BSD-3-Clause
 * rungs.h - code that computes is made to give way in its middle, where that is safe
 */
#ifndef QUOIT_SCHED_RUNGS_H
#define QUOIT_SCHED_RUNGS_H

#include "gmp.h"

/* Once a start and an end: what the cpu has, and the handler of SIGURG, unless QUOIT_NO_SIGNALS or
 * GODEBUG=asyncpreemptoff=1 forbid it; 0 or -errno. */
int rungs_init(void);
void rungs_fini(void);
void rungs_after_fork_child(void);

/* In the M's own thread. */
void rungs_thread_begin(struct m *mp);
void rungs_thread_end(struct m *mp);

/* After m_call: who computes on mp is to be made to answer. Any thread; for M's that are known not
 * to block. */
void rungs_ask(struct m *mp);
/* The same, by who looks again and again whether mp has come: it finds out whether mp computes, and
 * asks twice a quantum. */
void rungs_hurry(struct m *mp, int64_t now);

/* One signal to the thread of mp: it is held (hold.h). */
void rungs_poke(struct m *mp);

/* SIGURG's action is ours, and calls no other. */
bool rungs_alone(const struct sigaction *now);

#endif
