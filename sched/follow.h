/* SPDX-License-Identifier: BSD-3-Clause
 * follow.h - the P's follow the machine; a job of the housekeeper
 */
#ifndef QUOIT_SCHED_FOLLOW_H
#define QUOIT_SCHED_FOLLOW_H

#include <stdint.h>

void follow_begin(int64_t now);
/* When the machine is to be looked at: INT64_MAX while nothing has run since the last look. */
int64_t follow_due(void);
/* Looks, and resizes the world if it has to. In a thread that was never bound. */
void follow_run(int64_t now);

/* The least time between two looks. */
extern int64_t follow_ns;

#endif
