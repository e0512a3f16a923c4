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

/* In the M's own thread. */
void rungs_thread_begin(struct m *mp);
void rungs_thread_end(struct m *mp);

/* By sysmon, after m_call(mp, WANT_YIELD): the goroutine that mp runs in turn `schedtick` of its P
 * is to be made to answer. */
void rungs_ask(struct m *mp, uint64_t schedtick);

/* SIGURG's action is ours. */
bool rungs_is_ours(const struct sigaction *now);

#endif
