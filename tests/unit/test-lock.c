/* SPDX-License-Identifier: BSD-3-Clause
 * test-lock.c - one holder at a time, and sleepers are woken, with real threads and the real futex
 */
#include "lock.h"
#include "tap.h"

#include <pthread.h>
#include <stdbool.h>

enum { THREADS = 4, ROUNDS = 20000 };

static struct lock l;
static uint64_t counter; /* under l */

static void alone(void)
{
    is_int(l.word, 0, "a lock made of zeroes is free");
    lock(&l);
    ok(l.word != 0, "held");
    unlock(&l);
    is_int(l.word, 0, "and free again");
}

static void *count(void *arg unused_arg)
{
    for (int i = 0; i < ROUNDS; i++) {
        lock(&l);
        counter++;
        unlock(&l);
    }
    return NULL;
}

static void together(void)
{
    pthread_t threads[THREADS];

    for (int i = 0; i < THREADS; i++) {
        if (pthread_create(&threads[i], NULL, count, NULL) != 0)
            bail("no thread to count");
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    is_int(counter, THREADS * ROUNDS, "%d threads count together", THREADS);
    is_int(l.word, 0, "the lock is free in the end");
}

static uint32_t got_it;

static void *take(void *arg unused_arg)
{
    lock(&l);
    store_relaxed(&got_it, 1);
    unlock(&l);
    return NULL;
}

/* Holds on until the other one says in the word that it is about to sleep. */
static void a_sleeper_is_woken(void)
{
    pthread_t thread;

    lock(&l);
    if (pthread_create(&thread, NULL, take, NULL) != 0)
        bail("no thread to wait");
    while (load_relaxed(&l.word) != 2)
        sched_yield();
    ok(!load_relaxed(&got_it), "who waits does not get in");
    unlock(&l);
    pthread_join(thread, NULL);
    ok(got_it, "and does once the lock is free");
}

int main(void)
{
    alone();
    together();
    a_sleeper_is_woken();
    return done_testing();
}
