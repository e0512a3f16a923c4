/* SPDX-License-Identifier: BSD-3-Clause
 * fork.h - the child of a fork
 */
#ifndef QUOIT_SCHED_FORK_H
#define QUOIT_SCHED_FORK_H

#include "compiler.h"

/* From now on a child of fork(2) is a process where Quoit does not run. -ENOMEM. */
int fork_init(void);

/* The user's function came back, and no M is there: this is a child. */
noreturn_fn cold void child_returned(void);

#endif
