/* SPDX-License-Identifier: BSD-3-Clause
 * world.h - stopping every goroutine, for the user's own phases
 */
#ifndef QUOIT_SCHED_WORLD_H
#define QUOIT_SCHED_WORLD_H

#include "gmp.h"

int world_init(void);

/* One more has come in of those that the stop waits for: a P, under sched.lock, or an M that has
 * lost its P, under the lock of that M. */
void world_stopped_one_locked(void);

/* The P's as the machine has them now, of which v tells: in a plain thread. 0; -ETIMEDOUT: some
 * goroutine did not come in, and the world goes on as it was; -ENOMEM; -ESHUTDOWN. */
struct topo_view;
int world_follow(const struct topo_view *v, int64_t deadline);

/* sched.stopping is set: who waits for the world to stop waits no more. */
void world_ends(void);

/* On g0 of an idle M: its share of quoit_world_parallel, if it has one. */
void world_help(struct m *mp);

#endif
