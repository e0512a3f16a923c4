/* SPDX-License-Identifier: BSD-3-Clause
 * fairness.c - what a goroutine gets beside others: a turn, a core, the whole world
 *
 * In all three there are more goroutines that compute than P's; each gives way after about a
 * microsecond. Counters are the goroutines' own, a line each, and read by who measures.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

#include "quoit.h"

#include "bench.h"
#include "measure.h"

enum {
    READY = 1000,
    PAIRS = 2, /* a P */
    WARM_TURNS = 20,
    CROWD = 200,
    BLOCKERS = 200,
    BLOCK_US = 100000,
    SETTLE_NS = 500000000, /* until it is known who blocks */
    LOAD = 4,              /* a P, beside who stops the world */
    LINE = 64,
};

struct computing {
    _Atomic uint64_t turns;
} __attribute__((aligned(LINE)));

static struct computing crowd[CROWD];
static atomic_bool over;
static quoit_wg done;
static double *us;

static int compute_and_yield(void *arg)
{
    struct computing *c = arg;

    while (!over) {
        for (int i = 0; i < 1000; i++)
            __asm__ volatile("" ::"r"(i));
        atomic_fetch_add_explicit(&c->turns, 1, memory_order_relaxed);
        quoit_yield();
    }
    quoit_wg_done(&done);
    return 0;
}

static int go(quoit_fn fn, void *arg)
{
    int err;

    quoit_wg_add(&done, 1);
    err = quoit_go(fn, arg);
    if (err)
        quoit_wg_done(&done);
    return err;
}

static int start_computing(int n)
{
    int err = 0;

    for (int i = 0; i < n && !err; i++)
        err = go(compute_and_yield, &crowd[i]);
    return err;
}

static void finish(void)
{
    over = true;
    quoit_wg_wait(&done);
}

/* ---- a turn */

struct pair {
    quoit_sema ping, pong;
};

static _Atomic unsigned left;
static uint64_t turns;

/* Readies the other one and waits for it: that one runs next, before the queue. */
static int plays_first(void *arg)
{
    struct pair *p = arg;

    while (!over) {
        quoit_sema_post(&p->ping);
        quoit_sema_wait(&p->pong);
    }
    quoit_sema_post(&p->ping);
    quoit_wg_done(&done);
    return 0;
}

static int plays_second(void *arg)
{
    struct pair *p = arg;

    while (!over) {
        quoit_sema_wait(&p->ping);
        quoit_sema_post(&p->pong);
    }
    quoit_wg_done(&done);
    return 0;
}

/* From its yield until it runs again it is ready all the time. */
static int is_ready(void *arg)
{
    double *at = arg;

    for (int i = 0; i < WARM_TURNS; i++)
        quoit_yield();
    for (uint64_t i = 0; i < turns; i++) {
        uint64_t t0 = now_ns();

        quoit_yield();
        at[i] = (double)(now_ns() - t0) / 1000;
    }
    if (atomic_fetch_sub(&left, 1) == 1)
        over = true;
    quoit_wg_done(&done);
    return 0;
}

static int start_fairness(struct pair *pairs, int n)
{
    int err = 0;

    for (int i = 0; i < n && !err; i++) {
        err = go(plays_first, &pairs[i]);
        if (!err)
            err = go(plays_second, &pairs[i]);
    }
    for (int i = 0; i < READY && !err; i++)
        err = go(is_ready, us + (uint64_t)i * turns);
    return err;
}

static int fairness(void *arg)
{
    const struct job *job = arg;
    int n = PAIRS * job->procs, err;
    struct pair *pairs = calloc((size_t)n, sizeof(*pairs));
    uint64_t t0 = now_ns(), count;

    turns = (job->iterations + READY - 1) / READY;
    count = turns * READY;
    left = READY;
    us = calloc(count, sizeof(*us));
    err = us && pairs ? start_fairness(pairs, n) : -ENOMEM;
    if (!err) {
        quoit_wg_wait(&done);
        job->out->elapsed_ns = now_ns() - t0;
        job->out->count = count;
        sort_doubles(us, count);
        job->out->value[0] = percentile_sorted(us, count, 50);
        job->out->value[1] = us[count - 1 - (count - 1) / 1000];
        job->out->value[2] = us[count - 1];
    }
    free(us);
    free(pairs);
    return err;
}

/* ---- a core */

static int blocks_marked(void *arg)
{
    (void)arg;
    while (!over) {
        quoit_syscall_enter();
        usleep(BLOCK_US);
        quoit_syscall_exit();
    }
    quoit_wg_done(&done);
    return 0;
}

static int blocks_unmarked(void *arg)
{
    (void)arg;
    while (!over) {
        usleep(BLOCK_US);
        quoit_yield();
    }
    quoit_wg_done(&done);
    return 0;
}

static uint64_t turns_of_crowd(void)
{
    uint64_t n = 0;

    for (int i = 0; i < CROWD; i++)
        n += crowd[i].turns;
    return n;
}

/* Turns in a microsecond. */
static double rate(uint64_t ms)
{
    uint64_t n, t0;

    quoit_sleep(SETTLE_NS);
    n = turns_of_crowd();
    t0 = now_ns();
    quoit_sleep((int64_t)ms * 1000000);
    return 1000.0 * (double)(turns_of_crowd() - n) / (double)(now_ns() - t0);
}

static int block(void *arg)
{
    const struct job *job = arg;
    uint64_t t0 = now_ns();
    double alone, beside;
    int err = start_computing(CROWD);

    if (err)
        return err;
    alone = rate(job->iterations);
    for (int i = 0; i < BLOCKERS && !err; i++)
        err = go(i % 2 ? blocks_marked : blocks_unmarked, NULL);
    beside = rate(job->iterations);
    finish();
    job->out->elapsed_ns = now_ns() - t0;
    job->out->count = job->iterations;
    job->out->value[0] = 100 * beside / alone;
    return err;
}

/* ---- the whole world */

static int stop_often(const struct job *job)
{
    uint64_t n = job->iterations, t0 = now_ns();

    for (uint64_t i = 0; i < n; i++) {
        uint64_t t = now_ns();
        int err = quoit_stop_world(INT64_MAX, 0);

        if (err)
            return err;
        quoit_start_world();
        us[i] = (double)(now_ns() - t) / 1000;
        quoit_yield();
    }
    job->out->elapsed_ns = now_ns() - t0;
    job->out->count = n;
    sort_doubles(us, n);
    job->out->value[0] = percentile_sorted(us, n, 50);
    job->out->value[1] = percentile_sorted(us, n, 99);
    return 0;
}

static int stopworld(void *arg)
{
    const struct job *job = arg;
    int n = LOAD * job->procs, err;

    us = calloc(job->iterations, sizeof(*us));
    err = us ? start_computing(n < CROWD ? n : CROWD) : -ENOMEM;
    if (!err)
        err = stop_often(job);
    finish();
    free(us);
    return err;
}

const struct workload workload_fairness = {
    .name = "fairness",
    .about = "the wait for a turn of 1,000 ready goroutines, beside pairs that play ping-pong",
    .heading = "Waiting for a turn",
    .metrics = {{.name = "fairness-p50", .unit = "us"},
                {.name = "fairness-p999",
                 .unit = "us",
                 .means = "Behind 1,000 others and pairs that play: all but one in 1,000 waits.",
                 .tour = true},
                {.name = "fairness-max", .unit = "us"}},
    .sides = {{.peer = "quoit", .run = fairness, .in_quoit = true}},
    .widths = ONE | ALL,
    .start = 50000,
};

const struct workload workload_block = {
    .name = "block",
    .about = "200 goroutines compute, alone and beside 200 that block in other code",
    .heading = "Beside calls that block",
    .metrics = {{.name = "block-keep",
                 .unit = "%",
                 .means = "Of what 200 goroutines get done alone, beside 200 that block.",
                 .tour = true}},
    .sides = {{.peer = "quoit", .run = block, .in_quoit = true}},
    .widths = ALL,
    .start = 1000,
    .fixed = true,
    .tour_iterations = 500,
};

const struct workload workload_stopworld = {
    .name = "stopworld",
    .about = "the world is stopped and started while goroutines compute and give way",
    .heading = "Stopping the world",
    .metrics = {{.name = "stopworld-p50",
                 .unit = "us",
                 .means = "Every goroutine but one comes to a halt, and goes on.",
                 .tour = true},
                {.name = "stopworld-p99", .unit = "us"}},
    .sides = {{.peer = "quoit", .run = stopworld, .in_quoit = true}},
    .widths = ALL,
    .start = 10000,
    .fixed = true,
};
