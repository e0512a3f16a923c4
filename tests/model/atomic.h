/* SPDX-License-Identifier: BSD-3-Clause
 * atomic.h - the model's own: same names as arch/atomic.h, every access a step of the
 * explorer
 *
 * The kernel's part of the protocols (futex, membarrier) is modelled too, so this file
 * stands in for sched/os_linux.h as well.
 */
#ifndef QUOIT_ARCH_ATOMIC_H
#define QUOIT_ARCH_ATOMIC_H
#define QUOIT_SCHED_OS_LINUX_H

#include <pthread.h>
#include "compiler.h"

#include "machine.h"

#include <stdbool.h>
#include <stdint.h>

#define SITE(name, p, ord)                                                               \
    (__extension__({                                                                     \
        static struct site site_ = {.op = name, .what = p, .file = __FILE__, .order = ord}; \
        site_.func = __func__;                                                           \
        site_.line = __LINE__;                                                           \
        &site_;                                                                          \
    }))

/* The type of *p without its qualifiers. */
#define VALUE(p) __typeof__(1 ? *(p) : *(p))
#define BITS(v) ((uint64_t)(uintptr_t)(v))

#define LOAD(p, name, ord) ((VALUE(p))model_load(SITE(name, #p, ord), (p), sizeof(*(p))))
#define load_relaxed(p) LOAD(p, "load_relaxed", RELAXED)
#define load_acquire(p) LOAD(p, "load_acquire", IN)

#define STORE(p, v, name, ord) model_store(SITE(name, #p, ord), (p), sizeof(*(p)), BITS(v))
#define store_relaxed(p, v) STORE(p, v, "store_relaxed", RELAXED)
#define store_release(p, v) STORE(p, v, "store_release", OUT)

#define RMW(p, v, how, name, ord) \
    (__extension__({                                                                     \
        VALUE(p) old_ = (VALUE(p))model_rmw(SITE(name, #p, ord), (p), sizeof(*(p)), how, BITS(v)); \
        old_;                                                                            \
    }))
#define xchg_acquire(p, v) RMW(p, v, RMW_XCHG, "xchg_acquire", IN)
#define xchg_release(p, v) RMW(p, v, RMW_XCHG, "xchg_release", OUT)
#define xchg_acq_rel(p, v) RMW(p, v, RMW_XCHG, "xchg_acq_rel", IN | OUT)
#define xchg_full(p, v) RMW(p, v, RMW_XCHG, "xchg_full", IN | OUT | FULL)
#define add_relaxed(p, v) RMW(p, v, RMW_ADD, "add_relaxed", RELAXED)
#define add_release(p, v) RMW(p, v, RMW_ADD, "add_release", OUT)
#define add_acq_rel(p, v) RMW(p, v, RMW_ADD, "add_acq_rel", IN | OUT)
#define add_full(p, v) RMW(p, v, RMW_ADD, "add_full", IN | OUT | FULL)

#define CAS(p, seen, want, name, ord, failord) \
    model_cas(SITE(name, #p, ord), (p), sizeof(*(p)), (seen), BITS(want), failord)
#define cas_relaxed(p, seen, want) CAS(p, seen, want, "cas_relaxed", RELAXED, RELAXED)
#define cas_acquire(p, seen, want) CAS(p, seen, want, "cas_acquire", IN, RELAXED)
#define cas_release(p, seen, want) CAS(p, seen, want, "cas_release", OUT, RELAXED)
#define cas_acq_rel(p, seen, want) CAS(p, seen, want, "cas_acq_rel", IN | OUT, IN)
#define cas_full(p, seen, want) CAS(p, seen, want, "cas_full", IN | OUT | FULL, IN | FULL)

#define fence_full() model_fence(SITE("fence_full", "", IN | OUT | FULL))
#define fence_compiler() ((void)0)

/* ---- the kernel's door ---------------------------------------------------------------------- */

/* FENCE_BIT: as on a machine where membarrier is forbidden. Set by setup(). */
enum { FENCE_BIT = 1 << 30 };
extern uint32_t fence_bias;
void fence_init(void);
#define fence_light() model_fence_light(SITE("fence_light", "", FULL))
#define fence_heavy() model_fence_heavy(SITE("fence_heavy", "", FULL))
#define fence_and_load(p) model_fence_and_load(SITE("fence_and_load", #p, FULL | IN), (p))

#define futex_wait(p, v, deadline) \
    model_futex_wait(SITE("futex_wait", #p, FULL), (p), (v), (deadline))
#define futex_wake(p, n) model_futex_wake(SITE("futex_wake", #p, FULL), (p), (n))
int64_t nanotime(void);
void os_sleep_until(int64_t deadline);
int os_gettid(void);
int errno_get(void);
void errno_put(int e);
int64_t thread_cputime(int tid);
bool thread_sleeps(int tid);
int thread_start(pthread_t *thread, const pthread_attr_t *attr, void *(*fn)(void *), void *arg);
#define os_yield() model_relax(SITE("os_yield", "", RELAXED))

/* ---- plain memory in tests ------------------------------------------------------------------ */

#define data_read(p) model_data_read(SITE("data_read", #p, RELAXED), (p))
#define data_write(p, v) model_data_write(SITE("data_write", #p, RELAXED), (p), (v))

#endif
