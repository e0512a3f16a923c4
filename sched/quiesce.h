/* SPDX-License-Identifier: BSD-3-Clause
 * quiesce.h - goroutines at safe points, while the others go on (quiesce.c, grace.c)
 */
#ifndef QUOIT_SCHED_QUIESCE_H
#define QUOIT_SCHED_QUIESCE_H

#include "gmp.h"

/* Once a start. */
int quiesce_init(void);
int grace_init(void);

/* Between two looks at who computes: the first pause, then twice as long, and the longest. */
enum { PAUSE_NS = 20000, PAUSE_MOST_NS = 5000000 };

static inline int64_t longer(int64_t pause)
{
    return pause < PAUSE_MOST_NS / 2 ? 2 * pause : PAUSE_MOST_NS;
}

/* Waits for a semaphore that lets one in at a time. False: Quoit ends, and a plain thread must not
 * wait for who is abandoned. */
bool take_turn(quoit_sema *turn);

/* At the door with WANT_VISIT: the goroutine waits until it has been visited. Returns the M on
 * which it goes on. */
struct m *give_way(struct m *mp);

/* For a thread without M that must not wait, between foreign_enter and foreign_leave. False:
 * another grace period is under way. *at: whom it waits for, and is to be handed in at each look,
 * until one says that it is over. */
bool grace_try_begin(struct m **at);
bool grace_is_over(struct m **at);

/* How many grace periods there were. Any thread, a hint. */
uint64_t graces(void);

#endif
