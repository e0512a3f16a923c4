/* SPDX-License-Identifier: BSD-3-Clause
 * m.h - kernel threads: made, put to sleep, woken
 */
#ifndef QUOIT_SCHED_M_H
#define QUOIT_SCHED_M_H

#include "gmp.h"

/* Binds the calling thread, mp's, to where pp runs, unless it is. */
void m_bind(struct m *mp, const struct p *pp);
/* Its thread may run on all cpus of its node until its next m_bind, which must not be under way. */
void m_loosen(struct m *mp);

/* A new thread that runs goroutines with pp: 0, or -errno and pp is untouched. */
int m_start(struct p *pp, bool spinning);

/* The calling thread becomes m0 with pp, until m_release gives it back as it was; NULL for no
 * memory. */
struct m *m_adopt(struct p *pp);
void m_release(struct m *mp);

/* A record on the list of all, counted against the maximum: -EAGAIN past that, -ENOMEM, -ECANCELED
 * at the end of Quoit. Back with m_drop, once its thread is about to end or not Quoit's any more;
 * then m->gone is woken. */
int m_new(struct m **mpp);
void m_drop(struct m *mp);

/* In its own thread: mp can be woken, and have I/O; or no longer so. */
void m_open(struct m *mp);
void m_close(struct m *mp);

/* All M's that ever were, linked by alllink. Any thread. */
struct m *allm_first(void);
/* Calls every M to look at sched.stopping. */
void m_wake_all(void);
/* Waits until all have left, frees them; false: some had not after grace_ns, and nothing was freed.
 */
bool m_join_all(int64_t grace_ns);

/* Under sched.lock. */
void midleput_locked(struct m *mp);
void midledrop_locked(struct m *mp);

/* On g0, on the idle list: sleeps until the M has a P again, or is to end (mp->p stays NULL). */
void m_sleep(struct m *mp);
/* One that sleeps without a P woke, and may take completions; until m_rests it counts as on its
 * way (checkdead.c). */
void m_looks_locked(struct m *mp);
void m_rests(struct m *mp);
/* The same for one that is not on the list yet. */
void stopm(struct m *mp);

/* Who stops the world waits for the P of this M, which sleeps until it has one again. When nobody
 * waits any more nothing is done: nobody would look for what the P has to do. */
void come_to_rest(struct m *mp);

/* The world goes on: an M for each P that nobody holds and that has work; the others are idle. */
void startm_each(void);
/* pp to this very M, which sleeps for it and is on no idle list. */
void m_give(struct m *mp, struct p *pp);
/* The last goroutine may have ended here: who waits for that in quoit_shutdown looks. */
void tell_drained(void);
/* pp has lost its M: to another one if there is work for it, else it is idle. Any thread. */
void handoffp(struct p *pp);

#endif
