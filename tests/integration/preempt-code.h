/* SPDX-License-Identifier: BSD-3-Clause
 * preempt-code.h - what test-preempt.c runs
 */
#ifndef PREEMPT_CODE_H
#define PREEMPT_CODE_H

#include <pthread.h>
#include <stdint.h>

enum { SUM_ROUNDS = 4000000, TURNS = 10 };

/* Those that run until stop is set, and one that ends by itself; what they found out goes to
 * *(uint64_t *)arg. */
extern int stop;
int calls(void *arg);
int loops(void *arg);
int sorts(void *arg);
int copies(void *arg);
int big_frames(void *arg);
int sums(void *arg);

/* Two with 0 and 1 at *(uint64_t *)arg wait for each other's turn without a call, TURNS times. */
extern uint64_t turn;
int takes_turns(void *arg);

/* Sleeps in marked calls until stop is set, *(uint64_t *)arg us each, and computes in between;
 * `began` counts those that have begun. */
extern int began;
int sleeps_in_calls(void *arg);

/* Computes without a call, and is who it was afterwards; else it counts in *(uint64_t *)arg. */
int stays_itself(void *arg);

/* Does that with the mutex held; what goes wrong with it is counted in *(int *)arg. */
extern pthread_mutex_t mutex;
int holds_and_computes(void *arg);

#endif
