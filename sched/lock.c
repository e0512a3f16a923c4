/* SPDX-License-Identifier: BSD-3-Clause
 * lock.c - the contended half of lock.h
 *
 * A short spin first: the sections are shorter than a system call. Not fair, and need not be.
 */
#include "lock.h"

#include "cpu.h"

#include "os_linux.h"

enum { SPINS = 100 };

void lock_slow(struct lock *l)
{
    uint32_t seen;

    for (int i = 0; i < SPINS; i++) {
        seen = 0;
        /* order LOCK in: as in lock(); out: unlock */
        if (load_relaxed(&l->word) == 0 && cas_acquire(&l->word, &seen, 1))
            return;
        cpu_relax();
    }
    /* From here the word says that somebody may sleep, even after the lock is ours. */
    /* order LOCK in: as in lock(); out: unlock */
    while (xchg_acquire(&l->word, 2) != 0)
        futex_wait(&l->word, 2, INT64_MAX);
}

void unlock_slow(struct lock *l)
{
    futex_wake(&l->word, 1);
}
