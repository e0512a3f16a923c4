/* SPDX-License-Identifier: BSD-3-Clause
 * lockthread.h - a goroutine and a thread that belong to each other
 */
#ifndef QUOIT_SCHED_LOCKTHREAD_H
#define QUOIT_SCHED_LOCKTHREAD_H

#include "gmp.h"

/* gp runs on mp, and from now on nowhere else, and nothing else there; or no longer so. */
void lock_thread(struct m *mp, struct quoit_g *gp);
void unlock_thread(struct m *mp, struct quoit_g *gp);

/* gp, which is locked, has ended on mp: the thread goes too, for who knows what was done to it. */
void locked_ended(struct m *mp, struct quoit_g *gp);

/* By its locked goroutine, or by what one has left in the thread: others do not run there. */
static inline bool is_taken(const struct m *mp)
{
    return mp->lockedg != NULL || mp->leaving;
}

/* On g0 of an M that has a locked goroutine, or has picked one that belongs to another: gives its P
 * to who can use it. Returns what is to run here, or NULL: look again. */
struct quoit_g *locked_turn(struct m *mp);
/* On g0 of an M that is to leave: its P goes to others, and what it has in flight completes. */
void last_turn(struct m *mp);

#endif
