/* SPDX-License-Identifier: BSD-3-Clause
 * m.h - kernel threads: made, put to sleep, woken
 */
#ifndef QUOIT_SCHED_M_H
#define QUOIT_SCHED_M_H

#include "gmp.h"

/* Binds the calling thread, mp's, to where pp runs, unless it is. */
void m_bind(struct m *mp, const struct p *pp);

/* A new thread that runs goroutines with pp: 0, or -errno and pp is untouched. */
int m_start(struct p *pp, bool spinning);

/* The calling thread becomes m0 with pp, until m_release gives it back as it was; NULL for no
 * memory. */
struct m *m_adopt(struct p *pp);
void m_release(struct m *mp);

/* Calls every M to look at sched.stopping. */
void m_wake_all(void);
/* Waits until all have left, frees them; false: some had not after grace_ns, and nothing was freed.
 */
bool m_join_all(int64_t grace_ns);

#endif
