/* SPDX-License-Identifier: BSD-3-Clause
 * schedtrace.h - the state of the scheduler in the lines that Go prints
 */
#ifndef QUOIT_SCHED_SCHEDTRACE_H
#define QUOIT_SCHED_SCHEDTRACE_H

#include "gmp.h"
#include "say.h"

/* Words that others may be writing by plain stores, copied: what is held or constant is right, the
 * rest is a hint. */
void peek(void *to, const void *from, size_t bytes);
/* What mp runs, copied like that; false: nobody. */
bool peek_curg(const struct m *mp, struct quoit_g *g);
/* The number of one that may end, or be another one, meanwhile. */
unsigned long long goid_of(const struct quoit_g *gp);

/* "SCHED ...", and with `detail` a line a P and a line an M. Any thread, with any lock held. */
void say_sched(struct say *s, bool detail);

/* sysmon only. When the next line of GODEBUG=schedtrace=N is due: INT64_MAX, never. */
int64_t schedtrace_due(void);
/* Prints it to stderr if it is. */
void schedtrace_look(int64_t now);
/* Before the first look. */
void schedtrace_begin(int64_t now);

#endif
