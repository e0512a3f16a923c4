/* SPDX-License-Identifier: BSD-3-Clause
 * init.h - is Quoit there, and may a thread that is not ours use it
 */
#ifndef QUOIT_SCHED_INIT_H
#define QUOIT_SCHED_INIT_H

#include "gmp.h"

/* A thread that is not ours comes in: false when Quoit does not run. Until foreign_leave it
 * will not go away. */
bool foreign_enter(void);
void foreign_leave(void);

int num_goroutine(void);

/* In a child of fork(2), where nobody else is: what runs is the parent's. False: nothing does. */
bool forget_run(void);

#endif
