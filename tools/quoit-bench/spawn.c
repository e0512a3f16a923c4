/* SPDX-License-Identifier: BSD-3-Clause
 * spawn.c - goroutines that are born, do (almost) nothing, and end
 *
 * They come in batches under a wait group, as a program hands out small pieces
 * of work. The first batch is not counted: it fills the pools that later ones
 * live on.
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "quoit.h"

#include "bench.h"
#include "measure.h"

static quoit_wg batch_done;

static int empty(void *arg)
{
    quoit_wg_done(arg);
    return 0;
}

static int yields_once(void *arg)
{
    quoit_yield();
    quoit_wg_done(arg);
    return 0;
}

static int one_batch(quoit_fn body)
{
    quoit_wg_add(&batch_done, SPAWN_BATCH);
    for (int i = 0; i < SPAWN_BATCH; i++) {
        int err = quoit_go(body, &batch_done);

        if (err)
            return err;
    }
    quoit_wg_wait(&batch_done);
    return 0;
}

static void *thread_empty(void *arg)
{
    return arg;
}

static void *thread_yields_once(void *arg)
{
    sched_yield();
    return arg;
}

static int thread_batch(void *(*body)(void *))
{
    static pthread_t id[SPAWN_BATCH];
    pthread_attr_t attr;
    int err = 0, made = 0;

    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, PEER_STACK);
    while (made < SPAWN_BATCH && !err) {
        err = pthread_create(&id[made], &attr, body, NULL);
        made += !err;
    }
    for (int i = 0; i < made; i++)
        pthread_join(id[i], NULL);
    pthread_attr_destroy(&attr);
    return -err;
}

static int batches(const struct job *job, quoit_fn body, void *(*thread_body)(void *))
{
    uint64_t t0 = 0, n = (job->iterations + SPAWN_BATCH - 1) / SPAWN_BATCH;

    for (uint64_t i = 0; i <= n; i++) {
        int err = body ? one_batch(body) : thread_batch(thread_body);

        if (err)
            return err;
        if (i == 0)
            t0 = now_ns();
    }
    outcome_per_op(job->out, now_ns() - t0, n * SPAWN_BATCH);
    return 0;
}

static int spawn(void *job)
{
    return batches(job, empty, NULL);
}

static int spawn_park(void *job)
{
    return batches(job, yields_once, NULL);
}

static int threads(void *job)
{
    return batches(job, NULL, thread_empty);
}

static int threads_yield(void *job)
{
    return batches(job, NULL, thread_yields_once);
}

const struct workload workload_spawn = {
    .name = "spawn",
    .about = "spawn and finish, in batches of 1000 under a wait group: one goroutine",
    .heading = "Starting work",
    .thread_means = "The same with kernel threads: pthread_create and pthread_join.",
    .metrics = {{.name = "spawn",
                 .unit = "ns",
                 .means = "A goroutine is spawned, runs and ends.",
                 .tour = true}},
    .sides = {{.peer = "quoit", .run = spawn, .in_quoit = true},
              {.peer = "pthread", .run = threads}},
    .widths = ONE | ALL,
    .start = SPAWN_BATCH,
};

const struct workload workload_spawn_park = {
    .name = "spawn-park",
    .about = "the same, and each yields once, so that each needs a stack of its own",
    .metrics = {{.name = "spawn-park", .unit = "ns"}},
    .sides = {{.peer = "quoit", .run = spawn_park, .in_quoit = true},
              {.peer = "pthread", .run = threads_yield}},
    .widths = ONE | ALL,
    .start = SPAWN_BATCH,
};
