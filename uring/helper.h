/* SPDX-License-Identifier: BSD-3-Clause
 * helper.h - threads that make calls which may block
 */
#ifndef QUOIT_URING_HELPER_H
#define QUOIT_URING_HELPER_H

#include "op.h"

#include <pthread.h>

int helpers_init(int max);
/* All have ended when it returns; see helper.c for one that is blocked. What was queued is
 * dropped. */
void helpers_fini(void);

/* One more operation is to come by helpers_put, and only there: starts a thread when none is free
 * for it and the bound allows it. False: there is not a single one and none can be had, and
 * nothing is expected. */
bool helpers_expect(void);
/* Is there at least one thread, or can one be had? */
bool helpers_any(void);
/* Takes the operation, which was expected, and sees to its goroutine. Any thread. */
void helpers_put(struct op *op);
int helpers_count(void);

/* Operations that somebody waits for outside of rings; added to by who hands one over. */
extern uint32_t foreign_busy; /* a  hint */

/* The call is over: the goroutine goes on, unless Quoit ends. By a thread that is not ours. */
void finish_foreign(struct op *op, long res);
/* A thread with all signals blocked and the process's cpus; -errno. */
int foreign_start(pthread_t *thread, void *(*fn)(void *), void *arg);

#endif
