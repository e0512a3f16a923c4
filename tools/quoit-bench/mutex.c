/* SPDX-License-Identifier: BSD-3-Clause
 * mutex.c - a lock that nobody else wants, and one that 64 want at once
 *
 * The second counts under the lock and compares the count with the number of
 * turns: a lock that let two in would be fast.
 */
#include <pthread.h>
#include <semaphore.h>

#include "quoit.h"

#include "bench.h"
#include "measure.h"

enum { CROWD = 64 };

static quoit_mutex lock;
static pthread_mutex_t thread_lock = PTHREAD_MUTEX_INITIALIZER;
static uint64_t counted, turns; /* counted: under the lock */
static quoit_wg done;
static sem_t never;

static int alone(void *arg)
{
    const struct job *job = arg;
    uint64_t t0 = now_ns(), n = job->iterations;

    for (uint64_t i = 0; i < n; i++) {
        quoit_mutex_lock(&lock);
        quoit_mutex_unlock(&lock);
    }
    outcome_per_op(job->out, now_ns() - t0, n);
    return 0;
}

static void *waits_for_ever(void *arg)
{
    for (;;)
        sem_wait(&never);
    return arg;
}

/* A second thread must exist: glibc leaves the locked operations out while
 * there is one only. */
static int thread_alone(void *arg)
{
    const struct job *job = arg;
    uint64_t t0, n = job->iterations;
    pthread_t id;
    int err;

    sem_init(&never, 0, 0);
    err = pthread_create(&id, NULL, waits_for_ever, NULL);
    if (err)
        return -err;
    t0 = now_ns();
    for (uint64_t i = 0; i < n; i++) {
        pthread_mutex_lock(&thread_lock);
        pthread_mutex_unlock(&thread_lock);
    }
    outcome_per_op(job->out, now_ns() - t0, n);
    return 0;
}

static int one_of_crowd(void *arg)
{
    (void)arg;
    for (uint64_t i = 0; i < turns; i++) {
        quoit_mutex_lock(&lock);
        counted++;
        quoit_mutex_unlock(&lock);
    }
    quoit_wg_done(&done);
    return 0;
}

static void *thread_of_crowd(void *arg)
{
    for (uint64_t i = 0; i < turns; i++) {
        pthread_mutex_lock(&thread_lock);
        counted++;
        pthread_mutex_unlock(&thread_lock);
    }
    return arg;
}

static int count_up(const struct job *job, uint64_t t0)
{
    uint64_t expected = turns * CROWD, elapsed = now_ns() - t0;

    if (counted != expected)
        return outcome_wrong(job->out, "counted %llu under the lock instead of %llu",
                             (unsigned long long)counted, (unsigned long long)expected);
    outcome_per_op(job->out, elapsed, expected);
    return 0;
}

static int crowd(void *arg)
{
    const struct job *job = arg;
    uint64_t t0 = now_ns();

    turns = (job->iterations + CROWD - 1) / CROWD;
    quoit_wg_add(&done, CROWD);
    for (int i = 0; i < CROWD; i++) {
        int err = quoit_go(one_of_crowd, NULL);

        if (err)
            return err;
    }
    quoit_wg_wait(&done);
    return count_up(job, t0);
}

static int thread_crowd(void *arg)
{
    const struct job *job = arg;
    uint64_t t0 = now_ns();
    pthread_t id[CROWD];

    turns = (job->iterations + CROWD - 1) / CROWD;
    for (int i = 0; i < CROWD; i++) {
        int err = pthread_create(&id[i], NULL, thread_of_crowd, NULL);

        if (err)
            return -err;
    }
    for (int i = 0; i < CROWD; i++)
        pthread_join(id[i], NULL);
    return count_up(job, t0);
}

const struct workload workload_mutex = {
    .name = "mutex",
    .about = "lock and unlock a mutex that nobody else wants",
    .metrics = {{.name = "mutex", .unit = "ns"}},
    .sides = {{.peer = "quoit", .run = alone, .in_quoit = true},
              {.peer = "pthread", .run = thread_alone}},
    .widths = ONE,
    .start = 100000,
};

const struct workload workload_mutex_64 = {
    .name = "mutex-64",
    .about = "64 goroutines on all P's count under one mutex: one lock and unlock",
    .heading = "A crowded lock",
    .thread_means = "The same with 64 kernel threads and pthread_mutex.",
    .metrics = {{.name = "mutex-64",
                 .unit = "ns",
                 .means = "64 goroutines want one mutex all the time; this is one turn.",
                 .tour = true}},
    .sides = {{.peer = "quoit", .run = crowd, .in_quoit = true},
              {.peer = "pthread", .run = thread_crowd}},
    .widths = ALL,
    .start = 50000,
};
