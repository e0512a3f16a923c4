/* SPDX-License-Identifier: BSD-3-Clause
 * preempt-code.h - what test-preempt.c runs
 */
#ifndef PREEMPT_CODE_H
#define PREEMPT_CODE_H

#include <pthread.h>
#include <stdint.h>

enum { SUM_ROUNDS = 4000000 };

/* Those that run until stop is set, and one that ends by itself; what they found out goes to
 * *(uint64_t *)arg. */
extern int stop;
int calls(void *arg);
int loops(void *arg);
int sorts(void *arg);
int sums(void *arg);

/* Does that with the mutex held; what goes wrong with it is counted in *(int *)arg. */
extern pthread_mutex_t mutex;
int holds_and_computes(void *arg);

#endif
