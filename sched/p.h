/* SPDX-License-Identifier: BSD-3-Clause
 * p.h - P's: made once, held by one M at a time, idle otherwise
 */
#ifndef QUOIT_SCHED_P_H
#define QUOIT_SCHED_P_H

#include "atomic.h"
#include "compiler.h"

#include "gmp.h"
#include "os_linux.h"

/* n P's, all idle, and the nodes they sit on; 0 or -errno. */
int p_init(uint32_t n);
void p_fini(void);

/* As many as suit the machine. */
int procs_wanted(void);

/* n P's from now on. The world is stopped by the caller, whose M is mp (NULL: a thread that is not
 * ours) and may get another P. 0 or -ENOMEM, and nothing has changed. */
int procresize(struct m *mp, uint32_t n);

/* The calling M takes pp, which is off the idle list, or gives up what it holds. */
void acquirep(struct m *mp, struct p *pp);
struct p *releasep(struct m *mp);

/* A goroutine is made to leave pp, which is the caller's: the next pick looks at all sources. */
void turn_ends(struct p *pp);

/* Under sched.lock. Who stops the world counts it; else it is idle. */
void pidleput_locked(struct p *pp);
/* Under sched.lock: idle in any case. */
void pidleadd_locked(struct p *pp);
/* Under sched.lock. The idle P nearest to `near` (NULL: any), or NULL. */
struct p *pidleget_locked(struct p *near);

/* How many P's there ever were: for sums over all. Any thread. */
static inline uint32_t nallp(void)
{
    /* order ALLP in: each of them is whole; out: make_procs */
    return load_acquire(&sched.nallp);
}

/* How many P's there are, for who holds none while the world may be stopped: each of them is whole.
 */
static inline uint32_t nprocs(void)
{
    uint32_t n = load_relaxed(&sched.nprocs), all = nallp();

    return n < all ? n : all;
}

/* Goroutines that were given a P since the start, over all P's: a hint of what runs. Any thread. */
uint64_t p_ticks(void);

static inline uint32_t npidle(void)
{
    /* hint: only decides whether looking longer is worth it */
    return load_relaxed(&sched.npidle) & ~(uint32_t)FENCE_BIT;
}

/* Adds to a counter of the P that the caller's M holds. */
static always_inline void count_add(uint64_t *n, uint64_t more)
{
    /* hint: anybody reads them, while they move */
    store_relaxed(n, *n + more);
}

#endif
