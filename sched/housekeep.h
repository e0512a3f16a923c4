/* SPDX-License-Identifier: BSD-3-Clause
 * housekeep.h - the thread that gives things back, and what has time
 */
#ifndef QUOIT_SCHED_HOUSEKEEP_H
#define QUOIT_SCHED_HOUSEKEEP_H

#include <stdbool.h>
#include <stdint.h>

/* Once a start; its thread begins when there is something to do. */
int housekeep_init(void);
/* After sysmon has ended: waits until the thread has. */
void housekeep_stop(void);
/* The thread is the parent's. */
void housekeep_after_fork_child(void);

/* sysmon only. When the next job is due; INT64_MAX: there is none, or it is at work. */
int64_t housekeep_due(void);
/* Wakes it when a job is due. Cheap when not. */
void housekeep_look(int64_t now);

/* sysmon only, for who looks whether anything can ever happen: it sleeps until it is woken by
 * sysmon. And its threads: 0 or 1. */
bool housekeep_rests(void);
int housekeep_threads(void);

/* How long free stacks keep their memory: between that and twice as long. */
extern int64_t housekeep_trim_ns;

#endif
