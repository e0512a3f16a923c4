/* SPDX-License-Identifier: BSD-3-Clause
 * locks.c - the locks of pthreads that a goroutine holds are counted: for libquoit_preempt.a
 *
 * Such a lock belongs to the thread that took it. While its goroutine holds one it must stay on
 * that thread, so it is not switched out by force. The linker sends the program's own calls here
 * (--wrap, by pkg-config); what a library locks in its own code is over when it returns, and
 * nothing is switched out under its frames.
 *
 * Counted before it is taken, so that no instruction holds it uncounted.
 */
#include "quoit.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <time.h>

/* A shared library that calls for no version of libc's makes the linker look for ours, too. */
#define SEEN __attribute__((__visibility__("default")))

/* A mutex whose owner died is taken, too. */
static int taken(int result)
{
    if (result != 0 && result != EOWNERDEAD)
        quoit_preempt_lock_(-1);
    return result;
}

static int given(int result)
{
    if (result == 0)
        quoit_preempt_lock_(-1);
    return result;
}

#define TAKES(name, parameters, arguments)        \
    int __real_##name parameters;                 \
    SEEN int __wrap_##name parameters;            \
    int __wrap_##name parameters                  \
    {                                             \
        quoit_preempt_lock_(1);                   \
        return taken(__real_##name arguments);    \
    }

#define GIVES(name, parameters, arguments)        \
    int __real_##name parameters;                 \
    SEEN int __wrap_##name parameters;            \
    int __wrap_##name parameters                  \
    {                                             \
        return given(__real_##name arguments);    \
    }

typedef pthread_mutex_t mutex;
typedef pthread_rwlock_t rwlock;
typedef const struct timespec until;

TAKES(pthread_mutex_lock, (mutex *m), (m))
TAKES(pthread_mutex_trylock, (mutex *m), (m))
TAKES(pthread_mutex_timedlock, (mutex *m, until *t), (m, t))
TAKES(pthread_mutex_clocklock, (mutex *m, clockid_t clock, until *t), (m, clock, t))
GIVES(pthread_mutex_unlock, (mutex *m), (m))

TAKES(pthread_rwlock_rdlock, (rwlock *l), (l))
TAKES(pthread_rwlock_wrlock, (rwlock *l), (l))
TAKES(pthread_rwlock_tryrdlock, (rwlock *l), (l))
TAKES(pthread_rwlock_trywrlock, (rwlock *l), (l))
TAKES(pthread_rwlock_timedrdlock, (rwlock *l, until *t), (l, t))
TAKES(pthread_rwlock_timedwrlock, (rwlock *l, until *t), (l, t))
TAKES(pthread_rwlock_clockrdlock, (rwlock *l, clockid_t clock, until *t), (l, clock, t))
TAKES(pthread_rwlock_clockwrlock, (rwlock *l, clockid_t clock, until *t), (l, clock, t))
GIVES(pthread_rwlock_unlock, (rwlock *l), (l))

TAKES(ftrylockfile, (FILE *f), (f))

void __real_flockfile(FILE *f);
SEEN void __wrap_flockfile(FILE *f);
void __wrap_flockfile(FILE *f)
{
    quoit_preempt_lock_(1);
    __real_flockfile(f);
}

void __real_funlockfile(FILE *f);
SEEN void __wrap_funlockfile(FILE *f);
void __wrap_funlockfile(FILE *f)
{
    __real_funlockfile(f);
    quoit_preempt_lock_(-1);
}
