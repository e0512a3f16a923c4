/* SPDX-License-Identifier: BSD-3-Clause
 * yield.c - goroutines that do nothing but let the next one run
 *
 * All take the same number of turns, so they come round in order. Each first
 * takes some turns that are not counted: stacks are touched and queues have
 * their size by then. The clock runs from the first one that is through with
 * those to the last one that is done.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "quoit.h"

#include "bench.h"
#include "measure.h"

enum { WARM_TURNS = 20, THREADS_MAX = 1000 };

static struct {
    uint64_t turns; /* of each */
    _Atomic uint64_t begin;
    _Atomic uint64_t left;
    uint64_t end; /* written by the last one alone */
    quoit_wg done;
    pthread_barrier_t start;
} y;

static void clock_starts(void)
{
    uint64_t none = 0;

    atomic_compare_exchange_strong(&y.begin, &none, now_ns());
}

static void clock_stops(void)
{
    if (atomic_fetch_sub(&y.left, 1) == 1)
        y.end = now_ns();
}

static int turns(void *arg)
{
    const uint64_t n = y.turns;

    (void)arg;
    for (int i = 0; i < WARM_TURNS; i++)
        quoit_yield();
    clock_starts();
    for (uint64_t i = 0; i < n; i++)
        quoit_yield();
    clock_stops();
    quoit_wg_done(&y.done);
    return 0;
}

/* The same again at another address: a return from quoit_yield goes to the
 * other function each time. */
static int turns_too(void *arg)
{
    const uint64_t n = y.turns;

    (void)arg;
    for (int i = 0; i < WARM_TURNS; i++)
        quoit_yield();
    clock_starts();
    for (uint64_t i = 0; i < n; i++)
        quoit_yield();
    clock_stops();
    quoit_wg_done(&y.done);
    return 0;
}

static void prepare(const struct job *job, unsigned n)
{
    y.turns = (job->iterations + n - 1) / n;
    y.left = n;
}

static int finish(const struct job *job, unsigned n)
{
    outcome_per_op(job->out, y.end - y.begin, y.turns * n);
    return 0;
}

static int goroutines(const struct job *job, unsigned n, quoit_fn odd)
{
    int err;

    prepare(job, n);
    quoit_wg_add(&y.done, (int)n);
    for (unsigned i = 0; i < n; i++) {
        err = quoit_go(i % 2 ? odd : turns, NULL);
        if (err)
            return err;
    }
    quoit_wg_wait(&y.done);
    return finish(job, n);
}

static int yield_2(void *job)
{
    return goroutines(job, 2, turns);
}

static int yield_1000(void *job)
{
    return goroutines(job, 1000, turns);
}

static int yield_mixed(void *job)
{
    return goroutines(job, 2, turns_too);
}

static void *thread_turns(void *arg)
{
    (void)arg;
    pthread_barrier_wait(&y.start);
    for (int i = 0; i < WARM_TURNS; i++)
        sched_yield();
    clock_starts();
    for (uint64_t i = 0; i < y.turns; i++)
        sched_yield();
    clock_stops();
    return NULL;
}

static int threads(const struct job *job, unsigned n)
{
    static pthread_t id[THREADS_MAX];
    pthread_attr_t attr;
    int err;

    prepare(job, n);
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, PEER_STACK);
    pthread_barrier_init(&y.start, NULL, n);
    for (unsigned i = 0; i < n; i++) {
        err = pthread_create(&id[i], &attr, thread_turns, NULL);
        if (err)
            return -err;
    }
    for (unsigned i = 0; i < n; i++)
        pthread_join(id[i], NULL);
    return finish(job, n);
}

static int threads_2(void *job)
{
    return threads(job, 2);
}

static int threads_1000(void *job)
{
    return threads(job, THREADS_MAX);
}

const struct workload workload_yield_2 = {
    .name = "yield-2",
    .group = "yield",
    .about = "two goroutines of one function take turns on a P: one switch",
    .heading = "Letting another one run",
    .thread_means = "The same between two kernel threads, by sched_yield.",
    .metrics = {{.name = "yield-2",
                 .unit = "ns",
                 .means = "Two goroutines on one core take turns; this is one turn.",
                 .tour = true}},
    .sides = {{.peer = "quoit", .run = yield_2, .in_quoit = true},
              {.peer = "pthread", .run = threads_2}},
    .widths = ONE,
    .start = 10000,
};

const struct workload workload_yield_1000 = {
    .name = "yield-1000",
    .group = "yield",
    .about = "a thousand goroutines of one function take turns: one switch",
    .metrics = {{.name = "yield-1000", .unit = "ns"}},
    .sides = {{.peer = "quoit", .run = yield_1000, .in_quoit = true},
              {.peer = "pthread", .run = threads_1000}},
    .widths = ONE,
    .start = 50000,
};

const struct workload workload_yield_mixed = {
    .name = "yield-2-mixed",
    .group = "yield",
    .about =
        "two goroutines of two functions take turns: the processor guesses each return wrongly",
    .metrics = {{.name = "yield-2-mixed", .unit = "ns"}},
    .sides = {{.peer = "quoit", .run = yield_mixed, .in_quoit = true}},
    .widths = ONE,
    .start = 10000,
};
