/* SPDX-License-Identifier: BSD-3-Clause
 * sysmon.h - the thread that watches, without a P
 */
#ifndef QUOIT_SCHED_SYSMON_H
#define QUOIT_SCHED_SYSMON_H

/* Starts it: 0, or -EAGAIN and the like. Ends it again. */
int sysmon_start(void);
void sysmon_stop(void);

/* Work begins, or a deadline is new that nobody else watches. Any thread; cheap when it does not
 * sleep. */
void sysmon_wake(void);

#endif
