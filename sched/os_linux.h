/* SPDX-License-Identifier: BSD-3-Clause
 * os_linux.h - the kernel's door: futex, clock, membarrier, threads
 *
 * Everything returns -errno. errno itself is left as it was found: goroutines of the user may be in
 * the middle of looking at it.
 */
#ifndef QUOIT_SCHED_OS_LINUX_H
#define QUOIT_SCHED_OS_LINUX_H

#include "atomic.h"
#include "compiler.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/* Where a goroutine may go on in another thread between the two: a compiler keeps the address of
 * errno over a whole function, so there it is named in these alone. */
int errno_get(void);
void errno_put(int e);

/* Until *word is no longer `value`, a wake, or the deadline (CLOCK_MONOTONIC ns; INT64_MAX:
 * none): 0, -EAGAIN, -EINTR or -ETIMEDOUT; the caller looks again in any case. */
int futex_wait(uint32_t *word, uint32_t value, int64_t deadline);
void futex_wake(uint32_t *word, int n);

int64_t nanotime(void);
/* CLOCK_REALTIME. */
int64_t walltime(void);
/* Until CLOCK_MONOTONIC says so. */
void os_sleep_until(int64_t deadline);
int os_gettid(void);
void os_yield(void);

/* Nanoseconds of cpu time that a thread of this process has used; -1: it is gone. */
int64_t thread_cputime(int tid);

/* Sends `sig` to the thread each time that it has used so much cpu time, until it is stopped. 0 or
 * -errno. */
int cpu_timer_start(timer_t *timer, int tid, int sig, int64_t period_ns);
void cpu_timer_stop(timer_t timer);

/* False: the thread would run if the kernel let it. True too where /proc cannot tell. */
bool thread_sleeps(int tid);

/* Starts `fn(arg)` in a thread with every signal blocked at birth; attr as for pthread_create;
 * -errno. */
int thread_start(pthread_t *thread, const pthread_attr_t *attr, void *(*fn)(void *), void *arg);

/* One line to stderr by a single write, async-signal-safe. */
void write_stderr(const char *line, unsigned long n);

/* An asymmetric pair for protocols with one hot and one cold side: both fence, or a store could
 * pass a later load. The cold side makes every running thread of the process pass a full fence
 * (membarrier); so the hot side only has to hold the compiler.
 *
 * Where membarrier is forbidden the hot side must fence for real. It finds that out for free:
 * each word that a hot side looks at after its fence_light carries FENCE_BIT then. So the word
 * is never 0, the slow path is taken, and that fences and looks again. fence_bias is FENCE_BIT
 * or 0, constant after fence_init. */
enum { FENCE_BIT = 1 << 30 };
extern uint32_t fence_bias;
void fence_init(void);
void fence_heavy(void);

static always_inline void fence_light(void)
{
    fence_compiler();
}

/* For the slow path: `word` as it is after a real fence, without the bit. */
uint32_t fence_and_load(const uint32_t *word);

#endif
