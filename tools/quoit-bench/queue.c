/* SPDX-License-Identifier: BSD-3-Clause
 * queue.c - a million goroutines that were spawned and have not started
 *
 * On one P always: there the spawner, which never waits, is all that runs, so
 * what it has spawned stays queued until it does. A second P would start them
 * meanwhile.
 */
#include "quoit.h"

#include "bench.h"
#include "pages.h"
#include "measure.h"

static quoit_wg finished;

static int ends(void *arg)
{
    (void)arg;
    quoit_wg_done(&finished);
    return 0;
}

static int queue(void *arg)
{
    const struct job *job = arg;
    uint64_t t0, n = memory_for(job->iterations, 0);
    struct memory before, after;
    int err = memory_used(&before);

    if (err)
        return err;
    quoit_wg_add(&finished, (int)n);
    t0 = now_ns();
    for (uint64_t i = 0; i < n && !err; i++)
        err = quoit_go(ends, NULL);
    job->out->elapsed_ns = now_ns() - t0;
    if (!err)
        err = memory_used(&after);
    if (err)
        return err;
    quoit_wg_wait(&finished);
    job->out->count = n;
    job->out->value[0] = ((double)after.resident - (double)before.resident) / (double)n;
    job->out->value[1] = (double)job->out->elapsed_ns / (double)n;
    return 0;
}

const struct workload workload_queue = {
    .name = "queue",
    .about = "1,000,000 goroutines spawned and not yet started (on one P always)",
    .metrics = {{.name = "queue-bytes", .unit = "bytes"}, {.name = "queue-spawn", .unit = "ns"}},
    .sides = {{.peer = "quoit", .run = queue, .in_quoit = true}},
    .widths = ONE,
    .one_always = true,
    .start = 1000000,
    .fixed = true,
    .why_not = memory_not_told,
};
