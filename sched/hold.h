/* SPDX-License-Identifier: BSD-3-Clause
 * hold.h - goroutines that do not come in stand still in a signal handler while the world is
 * stopped
 */
#ifndef QUOIT_SCHED_HOLD_H
#define QUOIT_SCHED_HOLD_H

#include "gmp.h"

/* By who stops the world, under sched.lock: from here on signals hold. */
void hold_begin_locked(void);
/* Who is held goes on; nothing if nobody held. */
void hold_end_locked(void);

/* Its thread stands still, outside, until hold_end_locked; what it did before is seen. */
bool hold_has(const struct m *mp);

/* In the handler of SIGURG, on the thread of mp, which is outside; `context` is its third
 * argument. True: it was held. */
bool hold_here(struct m *mp, void *context);

#endif
