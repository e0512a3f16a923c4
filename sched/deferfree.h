/* SPDX-License-Identifier: BSD-3-Clause
 * deferfree.h - what is freed when nobody can see it any more (deferfree.c)
 */
#ifndef QUOIT_SCHED_DEFERFREE_H
#define QUOIT_SCHED_DEFERFREE_H

#include <stdbool.h>
#include <stdint.h>

/* Once a start; at the end what is left is freed, when no M is left that could look. */
int deferred_init(void);
void deferred_fini(void);

/* The housekeeper's job. When there is something to do, INT64_MAX: nothing is left. And one step:
 * it waits for nobody. */
int64_t deferred_due(void);
void deferred_run(int64_t now);

/* How many have been freed. Any thread, a hint. */
uint64_t deferred_count(void);

#endif
