/* SPDX-License-Identifier: BSD-3-Clause
 * hog.c - how late one wakes beside another that never gives way
 *
 * On one cpu, one of each: who computes without end in code of some kind, and who wants to run each
 * millisecond, by a clock that does not wait for it. Each millisecond that went by while it was not
 * let run counts as late by itself. That is compared with two threads that do the same.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "quoit.h"

#include "bench.h"
#include "measure.h"

enum { P999, WORST };
enum { LOOP, CALLS, SORT, COPY, MALLOC, PRINT, MASKED, KINDS };
enum { ROUND_NS = 1000000, COPY_BYTES = 64 << 20 };

static const struct job *job;
static atomic_int over;
static char *from, *to;
static quoit_wg hogs;

static bool is_over(void)
{
    return atomic_load_explicit(&over, memory_order_relaxed);
}

/* ---- what it does */

static void loop(void)
{
    while (!is_over()) {
    }
}

static __attribute__((noinline)) uint64_t mix(uint64_t x)
{
    __asm__ volatile("");
    return x * 0x9e3779b97f4a7c15u + 1;
}

static void call(void)
{
    for (uint64_t x = 1; !is_over();)
        x = mix(x);
}

static int endless(const void *a, const void *b)
{
    loop();
    return *(const int *)a - *(const int *)b;
}

static void sort(void)
{
    int two[] = {2, 1};

    qsort(two, 2, sizeof(*two), endless);
}

static void copy(void)
{
    while (!is_over()) {
        memcpy(to, from, COPY_BYTES);
        __asm__ volatile("" : : "r"(to) : "memory");
    }
}

static void allocate(void)
{
    void *kept[16] = {NULL};

    for (unsigned i = 0; !is_over(); i++) {
        free(kept[i % 16]);
        kept[i % 16] = malloc(i % 5000 + 1);
    }
    for (int i = 0; i < 16; i++)
        free(kept[i]);
}

static void print(void)
{
    FILE *f = fopen("/dev/null", "w");

    while (f && !is_over())
        fprintf(f, "%d %s %g\n", 1, "two", 3.0);
    if (f)
        fclose(f);
}

static void mask(void)
{
    sigset_t all, before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    loop();
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void (*const kinds[KINDS])(void) = {
    [LOOP] = loop, [CALLS] = call, [SORT] = sort, [COPY] = copy,
    [MALLOC] = allocate, [PRINT] = print, [MASKED] = mask,
};

/* ---- who wakes */

static void sleep_until(uint64_t at)
{
    struct timespec t = {(time_t)(at / 1000000000), (long)(at % 1000000000)};

    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR) {
    }
}

static void quoit_sleep_until(uint64_t at)
{
    uint64_t now = now_ns();

    if (now < at)
        quoit_sleep((int64_t)(at - now));
}

static int wake(void (*until)(uint64_t))
{
    uint64_t n = job->iterations, begun = now_ns();
    double *ms = calloc(n, sizeof(*ms));
    struct outcome *out = job->out;

    if (!ms)
        return -ENOMEM;
    for (uint64_t i = 0; i < n; i++) {
        uint64_t at = begun + (i + 1) * ROUND_NS;

        until(at);
        ms[i] = (double)(now_ns() - at) / 1000000;
    }
    sort_doubles(ms, n);
    out->count = n;
    out->elapsed_ns = now_ns() - begun;
    out->value[P999] = ms[(n * 999 + 999) / 1000 - 1];
    out->value[WORST] = ms[n - 1];
    free(ms);
    return 0;
}

static int begin(void *arg)
{
    job = arg;
    if (job->factor != COPY)
        return 0;
    from = calloc(1, COPY_BYTES);
    to = malloc(COPY_BYTES);
    return from && to ? 0 : -ENOMEM;
}

/* ---- on Quoit */

static int hog(void *arg)
{
    (void)arg;
    kinds[job->factor]();
    quoit_wg_done(&hogs);
    return 0;
}

static int run_beside(void *arg)
{
    int err = begin(arg);

    if (err)
        return err;
    quoit_wg_add(&hogs, 1);
    err = quoit_go(hog, NULL);
    if (err)
        return err;
    err = wake(quoit_sleep_until);
    over = 1;
    quoit_wg_wait(&hogs);
    return err;
}

/* ---- kernel threads */

static void *thread_hog(void *arg)
{
    kinds[job->factor]();
    return arg;
}

static int thread_beside(void *arg)
{
    pthread_t thread;
    int err = begin(arg);

    if (err)
        return err;
    err = -pthread_create(&thread, NULL, thread_hog, NULL);
    if (err)
        return err;
    err = wake(sleep_until);
    over = 1;
    pthread_join(thread, NULL);
    return err;
}

#define PREEMPT(id, kind, what)                                                                   \
    const struct workload workload_preempt_##id = {                                               \
        .name = "preempt-" #id,                                                                   \
        .group = "preempt",                                                                       \
        .about = "to wake each millisecond beside " what,                                         \
        .metrics = {[P999] = {.name = "preempt-" #id, .unit = "ms", .ratio = true},               \
                    [WORST] = {.name = "preempt-" #id "-worst", .unit = "ms"}},                   \
        .sides = {{.peer = "quoit", .run = run_beside, .in_quoit = true, .factor = kind},         \
                  {.peer = "pthread", .run = thread_beside, .factor = kind}},                     \
        .widths = ONE,                                                                            \
        .one_always = true,                                                                       \
        .start = 1000,                                                                            \
        .fixed = true,                                                                            \
    }

PREEMPT(loop, LOOP, "a loop without calls");
PREEMPT(calls, CALLS, "a loop with calls");
PREEMPT(qsort, SORT, "one that never returns from a callback of qsort");
PREEMPT(memcpy, COPY, "one that copies 64 MiB, again and again");
PREEMPT(malloc, MALLOC, "one that allocates and frees");
PREEMPT(printf, PRINT, "one that prints");
PREEMPT(masked, MASKED, "a loop with all signals masked");
