/* SPDX-License-Identifier: BSD-3-Clause
 * profile.h - which goroutines use the cpu: samples of the threads that run them
 */
#ifndef QUOIT_SCHED_PROFILE_H
#define QUOIT_SCHED_PROFILE_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

struct m;

/* On the M's own thread: it may be sampled from here on, and no more. */
void profile_m_begins(struct m *mp);
void profile_m_ends(struct m *mp);
/* Its record goes: what was sampled is kept. */
void profile_m_gone(struct m *mp);

/* What QUOIT_CPUPROFILE asks for; at the end, when all M's have come in or were left behind. */
void profile_begin(void);
void profile_end(void);
void profile_after_fork_child(void);

/* The housekeeper's job: takes samples out of the threads' queues. */
int64_t profile_due(void);
void profile_collect(int64_t now);

bool sigprof_is_ours(const struct sigaction *now);

#endif
