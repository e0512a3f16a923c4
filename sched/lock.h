/* SPDX-License-Identifier: BSD-3-Clause
 * lock.h - a lock for sections of a few instructions that never park
 *
 * Drepper's three states: free, held, held with sleepers. Zero is free. Held on g0 or with
 * m->locks > 0 only.
 */
#ifndef QUOIT_SCHED_LOCK_H
#define QUOIT_SCHED_LOCK_H

#include "atomic.h"
#include "compiler.h"

#include <stdbool.h>
#include <stdint.h>

struct lock {
    uint32_t word; /* a  LOCK: 0 free, 1 held, 2 held and somebody sleeps */
};

void lock_slow(struct lock *l);
void unlock_slow(struct lock *l);

static inline void lock(struct lock *l)
{
    uint32_t seen = 0;

    /* order LOCK in: what the last holder wrote is seen; out: unlock */
    if (unlikely(!cas_acquire(&l->word, &seen, 1)))
        lock_slow(l);
}

/* True: it was free and is the caller's now. */
static inline bool trylock(struct lock *l)
{
    uint32_t seen = 0;

    /* order LOCK in: as in lock(); out: unlock */
    return cas_acquire(&l->word, &seen, 1);
}

static inline void unlock(struct lock *l)
{
    /* order LOCK out: what was written under the lock comes first; in: lock, lock_slow */
    if (unlikely(xchg_release(&l->word, 0) == 2))
        unlock_slow(l);
}

#endif
