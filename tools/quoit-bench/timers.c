/* SPDX-License-Identifier: BSD-3-Clause
 * timers.c - many that sleep, again and again
 *
 * Each sleeps for a random time between `least` and ten times that, and notes
 * how much later than its deadline it went on. The clock starts when each has
 * slept once, so making them is outside, and runs for a time that is set, so
 * there is no tail in which few are left. 1,000 and 100,000 ask for the same number of
 * wake-ups a second: what differs is how many deadlines there are at a time. The
 * overload asks for a hundred times as many, more than there can be, and what
 * counts is how many there are.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#include "quoit.h"

#include "bench.h"
#include "measure.h"

enum { RATE, CPU, P50, P99, P999 };
enum { FEW = 1000, CROWD = 100000, THREADS = 100 };
enum { LENGTH_LEAST_NS = 20000000 };
enum { LEAST_FEW_NS = 1000000, LEAST_MANY_NS = 100000000, SPREAD = 10 };

static struct {
    uint64_t least, sleepers, length;
    uint64_t room, cpu;
    double *late; /* us, of each wake-up; NULL: not noted */
    _Atomic uint64_t slept, from, until, noted, n, early;
    _Atomic bool over;
    quoit_wg gone;
} run;

static uint64_t next_random(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state >> 33;
}

static void sleep_for(uint64_t ns, bool in_quoit)
{
    struct timespec t = {(time_t)(ns / 1000000000u), (long)(ns % 1000000000u)};

    if (in_quoit)
        quoit_sleep((int64_t)ns);
    else
        nanosleep(&t, NULL);
}

static void note(uint64_t late_ns)
{
    uint64_t i = run.noted++;

    if (i < run.room)
        run.late[i] = (double)late_ns / 1000;
}

/* Counted by each for itself: a common count would be most of what a wake-up costs. */
static void sleep_on(uint64_t seed, bool in_quoit)
{
    uint64_t now = now_ns(), n = 0, early = 0;

    for (bool first = true; now < run.until; first = false) {
        uint64_t ns = run.least + next_random(&seed) % ((SPREAD - 1) * run.least);
        uint64_t deadline = now + ns;

        sleep_for(ns, in_quoit);
        now = now_ns();
        early += now < deadline;
        if (first && ++run.slept == run.sleepers) {
            run.cpu = cpu_ns();
            run.from = now;
            run.until = now + run.length;
        }
        if (now < run.from || now >= run.until)
            continue;
        n++;
        if (run.late)
            note(now - deadline);
    }
    if (!atomic_exchange(&run.over, true))
        run.cpu = cpu_ns() - run.cpu;
    run.n += n;
    run.early += early;
}

static int sleeper(void *arg)
{
    sleep_on((uintptr_t)arg, true);
    quoit_wg_done(&run.gone);
    return 0;
}

static void *thread_sleeper(void *arg)
{
    sleep_on((uintptr_t)arg, false);
    return NULL;
}

/* The time that so many wake-ups should take; twice as many can be noted. */
static int begin(const struct job *job, uint64_t sleepers, uint64_t least, bool noted)
{
    uint64_t mean = least * (SPREAD + 1) / 2;

    run.least = least;
    run.room = 2 * job->iterations + sleepers;
    run.sleepers = sleepers;
    run.length = job->iterations * mean / sleepers;
    if (run.length < LENGTH_LEAST_NS)
        run.length = LENGTH_LEAST_NS;
    run.from = run.until = UINT64_MAX;
    run.late = noted ? calloc(run.room, sizeof(*run.late)) : NULL;
    return run.late || !noted ? 0 : -ENOMEM;
}

static int report(const struct job *job)
{
    uint64_t n = run.noted < run.room ? run.noted : run.room;

    if (run.early > 0)
        return outcome_wrong(job->out, "%llu went on before their time",
                             (unsigned long long)run.early);
    if (run.n == 0)
        return outcome_wrong(job->out, "nobody woke up within %llu ms",
                             (unsigned long long)run.length / 1000000);
    job->out->elapsed_ns = run.length;
    job->out->count = job->iterations;
    job->out->value[RATE] = (double)run.n * 1e9 / (double)run.length;
    job->out->value[CPU] = (double)run.cpu / 1000 / (double)run.n;
    if (!run.late)
        return 0;
    sort_doubles(run.late, n);
    job->out->value[P50] = percentile_sorted(run.late, n, 50);
    job->out->value[P99] = percentile_sorted(run.late, n, 99);
    job->out->value[P999] = run.late[(n * 999 + 999) / 1000 - 1];
    free(run.late);
    return 0;
}

static int sleep_all(const struct job *job, uint64_t sleepers, uint64_t least, bool noted)
{
    int err = begin(job, sleepers, least, noted);

    quoit_wg_add(&run.gone, (int)sleepers);
    for (uint64_t i = 0; i < sleepers && !err; i++)
        err = quoit_go(sleeper, (void *)(uintptr_t)i);
    if (err)
        return err;
    quoit_wg_wait(&run.gone);
    return report(job);
}

static int timers(void *job)
{
    return sleep_all(job, FEW, LEAST_FEW_NS, true);
}

static int timers_many(void *job)
{
    return sleep_all(job, CROWD, LEAST_MANY_NS, true);
}

static int timers_overload(void *job)
{
    return sleep_all(job, CROWD, LEAST_FEW_NS, false);
}

static int thread_timers(void *arg)
{
    const struct job *job = arg;
    int err = begin(job, THREADS, LEAST_FEW_NS, true), n = 0;
    pthread_t id[THREADS];
    pthread_attr_t attr;

    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, PEER_STACK);
    while (n < THREADS && !err) {
        err = -pthread_create(&id[n], &attr, thread_sleeper, (void *)(uintptr_t)n);
        n += err == 0;
    }
    pthread_attr_destroy(&attr);
    while (n > 0)
        pthread_join(id[--n], NULL);
    return err ? err : report(job);
}

const struct workload workload_timers = {
    .name = "timers",
    .group = "timers",
    .about = "1,000 goroutines, or 100 threads, that sleep for 1 to 10 ms again and again",
    .heading = "Sleeping",
    .thread_means = "The same with 100 kernel threads in nanosleep.",
    .metrics = {[RATE] = {.name = "timers-rate", .unit = "1/s", .only = "quoit"},
                [P50] = {.name = "timers-p50",
                         .unit = "us",
                         .means = "After its deadline: until a goroutine that slept goes on.",
                         .tour = true},
                [P99] = {.name = "timers-p99", .unit = "us"},
                [P999] = {.name = "timers-p999", .unit = "us"},
                [CPU] = {.name = "timers-cpu",
                         .unit = "us",
                         .means = "Processor time of one sleep and its end.",
                         .tour = true}},
    .sides = {{.peer = "quoit", .run = timers, .in_quoit = true},
              {.peer = "pthread", .run = thread_timers}},
    .widths = ONE | ALL,
    .start = 5000,
};

const struct workload workload_timers_many = {
    .name = "timers-100k",
    .group = "timers",
    .about = "100,000 goroutines that sleep for 0.1 to 1 s: as many wake-ups, more deadlines",
    .metrics = {[RATE] = {.name = "timers-100k-rate", .unit = "1/s"},
                [P50] = {.name = "timers-100k-p50", .unit = "us"},
                [P99] = {.name = "timers-100k-p99", .unit = "us"},
                [P999] = {.name = "timers-100k-p999", .unit = "us"},
                [CPU] = {.name = "timers-100k-cpu", .unit = "us"}},
    .sides = {{.peer = "quoit", .run = timers_many, .in_quoit = true}},
    .widths = ONE | ALL,
    .start = 300000,
    .fixed = true,
};

const struct workload workload_timers_overload = {
    .name = "timers-overload",
    .group = "timers",
    .about = "100,000 goroutines that sleep for 1 to 10 ms: as many wake-ups as there can be",
    .metrics = {[RATE] = {.name = "timers-overload-rate", .unit = "1/s"},
                [CPU] = {.name = "timers-overload-cpu", .unit = "us"}},
    .sides = {{.peer = "quoit", .run = timers_overload, .in_quoit = true}},
    .widths = ONE | ALL,
    .start = 10000000,
    .fixed = true,
};
