/* SPDX-License-Identifier: BSD-3-Clause
 * crowd.h - goroutines that keep a world busy in all the ways there are
 */
#ifndef QUOIT_TESTS_CROWD_H
#define QUOIT_TESTS_CROWD_H

#include "quoit.h"

enum { CROWD_COUNTERS = 24 };

/* What crowd_end waits for: one done from each that was begun. */
extern quoit_wg crowd_wg;

/* n of them, each with its number as argument. */
void crowd_begin(quoit_fn fn, int n);
/* CROWD_COUNTERS of these at most: each yields and counts. */
int crowd_counts(void *arg);
/* Those, and others that sleep, read, block in all ways, or are locked to their threads. */
void crowd_all_sorts(void);
void crowd_end(void);

long crowd_sum(void);
/* A check: every counter is counted on. */
void crowd_goes_on(const char *what);

#endif
