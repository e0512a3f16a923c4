/* SPDX-License-Identifier: BSD-3-Clause
 * park.c - a million goroutines that each wait for something of their own
 *
 * What they cost to make, to keep and to finish. Each one first runs, so each
 * has a stack, and a page of it is touched: that page is most of the price, so
 * as many fresh pages are touched beside it, by a loop, in the same process
 * before Quoit starts.
 *
 * Memory is what the process has more of while all are parked, as /proc tells
 * it: resident pages, and page tables on their own. The semaphores are the
 * program's and were touched before.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "quoit.h"

#include "bench.h"
#include "pages.h"
#include "measure.h"

enum { CREATE, BYTES, PTBYTES, FINISH, TOUCH, RATIO };

static quoit_sema *gate; /* one each */
static quoit_wg arrived, finished;

static int waits(void *arg)
{
    quoit_wg_done(&arrived);
    quoit_sema_wait(arg);
    quoit_wg_done(&finished);
    return 0;
}

static int create(uint64_t n)
{
    quoit_wg_add(&arrived, (int)n);
    quoit_wg_add(&finished, (int)n);
    for (uint64_t i = 0; i < n; i++) {
        int err = quoit_go(waits, &gate[i]);

        if (err)
            return err;
    }
    quoit_wg_wait(&arrived);
    return 0;
}

static void finish(uint64_t n)
{
    for (uint64_t i = 0; i < n; i++)
        quoit_sema_post(&gate[i]);
    quoit_wg_wait(&finished);
}

static int park(void *arg)
{
    const struct job *job = arg;
    struct outcome *out = job->out;
    uint64_t n = out->count, t0, t1, t2;
    struct memory before, after;
    int err = memory_used(&before);

    if (err)
        return err;
    t0 = now_ns();
    err = create(n);
    t1 = now_ns();
    if (err)
        return err;
    err = memory_used(&after);
    t2 = now_ns();
    finish(n);
    out->value[FINISH] = (double)(now_ns() - t2) / (double)n;
    out->value[CREATE] = (double)(t1 - t0) / (double)n;
    out->value[BYTES] = ((double)after.resident - (double)before.resident) / (double)n;
    out->value[PTBYTES] = ((double)after.tables - (double)before.tables) / (double)n;
    out->value[RATIO] = out->value[CREATE] / out->value[TOUCH];
    out->elapsed_ns = t1 - t0;
    return err;
}

/* Before Quoit starts: the yardstick, and the semaphores. */
static int prepare_and_park(void *arg)
{
    const struct job *job = arg;
    uint64_t ns, n = memory_for(job->iterations, sizeof(*gate));
    int err = touch_pages(n, &ns);

    if (err)
        return err;
    job->out->count = n;
    job->out->value[TOUCH] = (double)ns / (double)n;
    gate = malloc(n * sizeof(*gate));
    if (!gate)
        return -ENOMEM;
    memset(gate, 0, n * sizeof(*gate));
    return quoit_main(park, arg);
}

const struct workload workload_park = {
    .name = "park",
    .about = "1,000,000 goroutines, each parked on a semaphore of its own",
    .heading = "Many that wait",
    .metrics = {[CREATE] = {.name = "park-create",
                            .unit = "ns",
                            .means =
                                "A goroutine is made and parks; many thousands are parked at once.",
                            .tour = true},
                [BYTES] = {.name = "park-bytes",
                           .unit = "bytes",
                           .means = "Memory that a parked goroutine keeps, its stack included.",
                           .tour = true},
                [PTBYTES] = {.name = "park-ptbytes", .unit = "bytes"},
                [FINISH] = {.name = "park-finish",
                            .unit = "ns",
                            .means = "Each is woken, and ends.",
                            .tour = true},
                [TOUCH] = {.name = "touch",
                           .unit = "ns",
                           .means = "The kernel's price of a fresh page, which each of them needs.",
                           .peer = "yardstick",
                           .tour = true},
                [RATIO] = {.name = "park-touch-ratio", .unit = "x"}},
    .sides = {{.peer = "quoit", .run = prepare_and_park}},
    .widths = ALL,
    .start = 1000000,
    .fixed = true,
    .tour_iterations = 100000,
    .why_not = memory_not_told,
};
