/* SPDX-License-Identifier: BSD-3-Clause
 * test-locks.c - what is counted while locks are taken and given back
 *
 * Linked as programs are that are to be preempted, but for the library: the count is here.
 */
#include "quoit.h"

#include "tap.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <time.h>

static int held, least;

void quoit_preempt_lock_(int delta)
{
    held += delta;
    least = held < least ? held : least;
}

static const struct timespec past = { 0, 0 };

static void mutexes(void)
{
    pthread_mutexattr_t checked;
    pthread_mutex_t m;

    pthread_mutexattr_init(&checked);
    pthread_mutexattr_settype(&checked, PTHREAD_MUTEX_ERRORCHECK);
    pthread_mutex_init(&m, &checked);
    pthread_mutex_lock(&m);
    is_int(held, 1, "a mutex that is taken counts");
    is_int(pthread_mutex_lock(&m), EDEADLK, "one that cannot be taken again");
    is_int(pthread_mutex_trylock(&m), EBUSY, "nor when tried");
    is_int(held, 1, "does not count twice");
    pthread_mutex_unlock(&m);
    is_int(held, 0, "given back");
    is_int(pthread_mutex_unlock(&m), EPERM, "what is not held cannot be given back");
    is_int(held, 0, "and is not counted");
    pthread_mutex_trylock(&m);
    pthread_mutex_unlock(&m);
    pthread_mutex_timedlock(&m, &past);
    pthread_mutex_unlock(&m);
    pthread_mutex_clocklock(&m, CLOCK_MONOTONIC, &past);
    is_int(held, 1, "with a deadline");
    pthread_mutex_unlock(&m);
}

static void rwlocks(void)
{
    pthread_rwlock_t l = PTHREAD_RWLOCK_INITIALIZER;

    pthread_rwlock_rdlock(&l);
    pthread_rwlock_tryrdlock(&l);
    pthread_rwlock_timedrdlock(&l, &past);
    pthread_rwlock_clockrdlock(&l, CLOCK_MONOTONIC, &past);
    is_int(held, 4, "each reader's lock counts");
    is_int(pthread_rwlock_trywrlock(&l), EBUSY, "a writer does not get in");
    is_int(pthread_rwlock_timedwrlock(&l, &past), ETIMEDOUT, "nor when it waits");
    is_int(pthread_rwlock_clockwrlock(&l, CLOCK_MONOTONIC, &past), ETIMEDOUT, "by any clock");
    is_int(held, 4, "and is not counted");
    for (int i = 0; i < 4; i++)
        pthread_rwlock_unlock(&l);
    pthread_rwlock_wrlock(&l);
    is_int(held, 1, "a writer's counts");
    pthread_rwlock_unlock(&l);
    is_int(held, 0, "until it is given back");
}

static void files(void)
{
    flockfile(stdin);
    is_int(held, 1, "a file's lock counts");
    is_int(ftrylockfile(stdin), 0, "more than once");
    is_int(held, 2, "as often as it is taken");
    funlockfile(stdin);
    funlockfile(stdin);
    is_int(held, 0, "until it is given back");
}

int main(void)
{
#ifdef __SANITIZE_THREAD__
    skip_all("TSan ends the program where locks are misused on purpose");
#endif
    mutexes();
    rwlocks();
    files();
    is_int(least, 0, "never less than nothing");
    return done_testing();
}
