/* SPDX-License-Identifier: BSD-3-Clause
 * checkdead.h - does anything remain that could make a goroutine go on?
 */
#ifndef QUOIT_SCHED_CHECKDEAD_H
#define QUOIT_SCHED_CHECKDEAD_H

#include <stdbool.h>
#include <stdint.h>

/* sysmon only, while sched.sysmonwait is set since it saw every P idle. If nothing remains it ends
 * the program, or, when it is asked for the last time, warns. */
void checkdead(bool last);

/* sysmon only, at a look while M's wait for stacks: the same of those. */
void checkdead_starved(int64_t now);

#endif
