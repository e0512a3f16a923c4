/* SPDX-License-Identifier: BSD-3-Clause
 * atomic.h - every access to a word that two threads may touch at once
 *
 * The only file that spells memory orders: the order is part of each name, so a reader sees at the
 * place of use what is promised. The words themselves are plain integers and pointers; what makes
 * an access atomic is that it goes through here. tests/model/ puts its own file of this name in
 * front, so a protocol is explored in the very lines that ship.
 *
 * Each acquire, release or full access needs the line `order NAME out|in|full` above it (see
 * Documentation/memory-order.md); relaxed ones say `hint:` where a stale value would surprise.
 */
#ifndef QUOIT_ARCH_ATOMIC_H
#define QUOIT_ARCH_ATOMIC_H

#include "compiler.h"

#define load_relaxed(p) __atomic_load_n((p), __ATOMIC_RELAXED)
#define load_acquire(p) __atomic_load_n((p), __ATOMIC_ACQUIRE)

#define store_relaxed(p, v) __atomic_store_n((p), (v), __ATOMIC_RELAXED)
#define store_release(p, v) __atomic_store_n((p), (v), __ATOMIC_RELEASE)

/* Orders all that stands before against all that stands after, loads after stores included. TSan
 * sees no edge in a fence, so data must never be published by a relaxed store behind one; gcc warns
 * of every fence under TSan because it cannot know that we keep to this. */
#if defined(__SANITIZE_THREAD__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wtsan"
#endif
static always_inline void fence_full(void)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}
#if defined(__SANITIZE_THREAD__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

/* The value of a read-modify-write that orders like fence_full. On x86_64 each locked instruction
 * does; a pair of exclusive load and store on aarch64 lets a later load pass. */
#if defined(__aarch64__)
#define then_fence(rmw)            \
    __extension__({                \
        __auto_type old_ = (rmw);  \
        fence_full();              \
        old_;                      \
    })
#else
#define then_fence(rmw) (rmw)
#endif

/* Exchange: the old value. */
#define xchg_acquire(p, v) __atomic_exchange_n((p), (v), __ATOMIC_ACQUIRE)
#define xchg_release(p, v) __atomic_exchange_n((p), (v), __ATOMIC_RELEASE)
#define xchg_acq_rel(p, v) __atomic_exchange_n((p), (v), __ATOMIC_ACQ_REL)
#define xchg_full(p, v) then_fence(__atomic_exchange_n((p), (v), __ATOMIC_SEQ_CST))

/* Compare and swap, never failing by chance: true when `want` is in; else *seen holds what was
 * there. */
#define cas_relaxed(p, seen, want) \
    __atomic_compare_exchange_n((p), (seen), (want), 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED)
#define cas_acquire(p, seen, want) \
    __atomic_compare_exchange_n((p), (seen), (want), 0, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)
#define cas_release(p, seen, want) \
    __atomic_compare_exchange_n((p), (seen), (want), 0, __ATOMIC_RELEASE, __ATOMIC_RELAXED)
#define cas_acq_rel(p, seen, want) \
    __atomic_compare_exchange_n((p), (seen), (want), 0, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)
#define cas_full(p, seen, want)                                                           \
    then_fence(__atomic_compare_exchange_n((p), (seen), (want), 0, __ATOMIC_SEQ_CST, \
                                           __ATOMIC_SEQ_CST))

/* Add: the old value. */
#define add_relaxed(p, v) __atomic_fetch_add((p), (v), __ATOMIC_RELAXED)
#define add_release(p, v) __atomic_fetch_add((p), (v), __ATOMIC_RELEASE)
#define add_acq_rel(p, v) __atomic_fetch_add((p), (v), __ATOMIC_ACQ_REL)
#define add_full(p, v) then_fence(__atomic_fetch_add((p), (v), __ATOMIC_SEQ_CST))

/* Stops the compiler only: for a thread against its own signal handler, or against membarrier. */
#define fence_compiler() __atomic_signal_fence(__ATOMIC_SEQ_CST)

#endif
