/* SPDX-License-Identifier: BSD-3-Clause
 * quoit_mutex.h - a lock for goroutines
 *
 * Comes with quoit.h, which says what the marks mean.
 */
#ifndef QUOIT_MUTEX_H
#define QUOIT_MUTEX_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* All zero is one that is free. It must not move while in use. */
typedef struct { uint64_t opaque[2]; } quoit_mutex;
#define QUOIT_MUTEX_INIT { { 0, 0 } }

/* Locks; waiters are served about in order, and none waits for ever while others overtake. Not
 * recursive. [T][P] */
void quoit_mutex_lock(quoit_mutex *m);
/* 0, or -EBUSY: held by another. [T] */
int quoit_mutex_trylock(quoit_mutex *m);
/* Any goroutine may unlock. Unlocking what is not locked ends the program. [T] */
void quoit_mutex_unlock(quoit_mutex *m);

/* A mutex that nobody else wants is taken and let go where the caller stands: a call would cost
 * nearly as much as the compare-and-swap. That 0 means free, and 1 held with nobody waiting, is
 * part of the binary interface. With QUOIT_CALLS_ONLY defined before the first header of Quoit
 * these are calls, for who traces or replaces them. */
#ifndef QUOIT_CALLS_ONLY
__attribute__((__unused__)) static inline void quoit_mutex_lock_here_(quoit_mutex *m)
{
    uint64_t seen = 0;

    if (__builtin_expect(!__atomic_compare_exchange_n(&m->opaque[0], &seen, 1, 0, __ATOMIC_ACQUIRE,
                                                      __ATOMIC_RELAXED), 0))
        quoit_mutex_lock(m);
}

__attribute__((__unused__)) static inline void quoit_mutex_unlock_here_(quoit_mutex *m)
{
    uint64_t seen = 1;

    if (__builtin_expect(!__atomic_compare_exchange_n(&m->opaque[0], &seen, 0, 0, __ATOMIC_RELEASE,
                                                      __ATOMIC_RELAXED), 0))
        quoit_mutex_unlock(m);
}

#define quoit_mutex_lock(m) quoit_mutex_lock_here_(m)
#define quoit_mutex_unlock(m) quoit_mutex_unlock_here_(m)
#endif

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif
