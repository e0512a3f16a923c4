/* SPDX-License-Identifier: BSD-3-Clause
 * p.h - P's: made once, held by one M at a time, idle otherwise
 */
#ifndef QUOIT_SCHED_P_H
#define QUOIT_SCHED_P_H

#include "atomic.h"
#include "compiler.h"

#include "gmp.h"

/* n P's, all idle, and the nodes they sit on; 0 or -errno. */
int p_init(uint32_t n);
void p_fini(void);

/* The calling M takes pp, which is off the idle list, or gives up what it holds. */
void acquirep(struct m *mp, struct p *pp);
struct p *releasep(struct m *mp);

/* Under sched.lock. The idle P nearest to `near` (NULL: any), or NULL. */
void pidleput_locked(struct p *pp);
struct p *pidleget_locked(struct p *near);

/* Adds to a counter of the P that the caller's M holds. */
static always_inline void count_add(uint64_t *n, uint64_t more)
{
    /* hint: anybody reads them, while they move */
    store_relaxed(n, *n + more);
}

#endif
