/* SPDX-License-Identifier: BSD-3-Clause
 * pingpong.c - two that wake each other in turn, by two semaphores
 *
 * With one P both are on it. With two, the scheduler is free to bring them
 * together or not.
 */
#include <pthread.h>
#include <semaphore.h>

#include "quoit.h"

#include "bench.h"
#include "measure.h"

enum { WARM_ROUNDS = 200 };

static quoit_sema ping, pong;
static quoit_wg returned;
static sem_t thread_ping, thread_pong;

static int returner(void *arg)
{
    const uint64_t n = ((const struct job *)arg)->iterations + WARM_ROUNDS;

    for (uint64_t i = 0; i < n; i++) {
        quoit_sema_wait(&ping);
        quoit_sema_post(&pong);
    }
    quoit_wg_done(&returned);
    return 0;
}

static void rounds(uint64_t n)
{
    for (uint64_t i = 0; i < n; i++) {
        quoit_sema_post(&ping);
        quoit_sema_wait(&pong);
    }
}

static int pingpong(void *arg)
{
    const struct job *job = arg;
    uint64_t t0;
    int err;

    quoit_wg_add(&returned, 1);
    err = quoit_go(returner, arg);
    if (err)
        return err;
    rounds(WARM_ROUNDS);
    t0 = now_ns();
    rounds(job->iterations);
    outcome_per_op(job->out, now_ns() - t0, job->iterations);
    quoit_wg_wait(&returned);
    return 0;
}

static void *thread_returner(void *arg)
{
    const uint64_t n = ((const struct job *)arg)->iterations + WARM_ROUNDS;

    for (uint64_t i = 0; i < n; i++) {
        sem_wait(&thread_ping);
        sem_post(&thread_pong);
    }
    return NULL;
}

static void thread_rounds(uint64_t n)
{
    for (uint64_t i = 0; i < n; i++) {
        sem_post(&thread_ping);
        sem_wait(&thread_pong);
    }
}

static int threads(void *arg)
{
    const struct job *job = arg;
    uint64_t t0;
    pthread_t id;
    int err;

    sem_init(&thread_ping, 0, 0);
    sem_init(&thread_pong, 0, 0);
    err = pthread_create(&id, NULL, thread_returner, arg);
    if (err)
        return -err;
    thread_rounds(WARM_ROUNDS);
    t0 = now_ns();
    thread_rounds(job->iterations);
    outcome_per_op(job->out, now_ns() - t0, job->iterations);
    pthread_join(id, NULL);
    return 0;
}

const struct workload workload_pingpong = {
    .name = "pingpong",
    .about = "two goroutines wake each other by two semaphores: there and back",
    .heading = "Waking each other",
    .thread_means = "The same between two kernel threads, by sem_t.",
    .metrics = {{.name = "pingpong",
                 .unit = "ns",
                 .means = "One goroutine wakes another, sleeps, and is woken by it.",
                 .tour = true}},
    .sides = {{.peer = "quoit", .run = pingpong, .in_quoit = true},
              {.peer = "pthread", .run = threads}},
    .widths = ONE | TWO,
    .start = 2000,
};
