/* SPDX-License-Identifier: BSD-3-Clause
 * join.h - waiting for a goroutine to end, and not waiting
 */
#ifndef QUOIT_SCHED_JOIN_H
#define QUOIT_SCHED_JOIN_H

#include "proc.h"

/* Takes the handle; the child is joinable and not the caller. 0, or the handle stays:
 * -ETIMEDOUT, -ECANCELED. */
int join(struct m **mp, struct quoit_g *child, int *result);
/* The same without running it here (sleep.c). */
int join_until(struct m **mp, struct quoit_g *child, int *result, int64_t deadline);
/* Takes the handle. mp may be NULL: a thread that is not ours. */
void release(struct m *mp, struct quoit_g *gp);
/* child, mp's goroutine, has come to its end on its joiner's stack. Called on the child's frames:
 * while the joiner shows as waiting its own may be walked, from where it has left them. */
void inplace_ended(struct m *mp, struct quoit_g *child);
/* The goroutine that `joiner`, as it stands in join, waits for has ended (sleep.c). */
void join_wake(struct m *mp, struct quoit_g *joiner);

#endif
