/* SPDX-License-Identifier: BSD-3-Clause
 * posix.h - the same operations without rings
 *
 * First the call is tried without blocking. What would block waits in one of two
 * places: for readiness in the watcher, one thread that polls; or, where readiness
 * says nothing (files), in a thread of the pool (sched/block.h) that makes the plain
 * call.
 */
#ifndef QUOIT_URING_POSIX_H
#define QUOIT_URING_POSIX_H

#include "op.h"

#include <stdint.h>

/* Once each; nothing is started before it is needed. `max`: most threads for calls that end by
 * themselves. */
void posix_init(int max);
/* The watcher is gone when it returns. The threads of the pool were before (sched/block.h). */
void posix_fini(void);
/* The watcher is the parent's. */
void posix_after_fork_child(void);

/* The goroutine waits for the operation; op->res has the result. */
struct m *posix_wait(struct m *mp, struct op *op);

/* Operations under way, a hint. */
uint32_t posix_busy(void);

/* 1: the watcher has been started. */
int posix_watchers(void);

/* Threads of the pool that there are, a hint. */
int posix_helpers(void);

#endif
