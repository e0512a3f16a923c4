/* SPDX-License-Identifier: BSD-3-Clause
 * pipeline.c - read 1 MiB that is not in the page cache, compute on it for 5 ms, again
 *
 * Four at a time for each core, so that the disk can work while the cores do. Without any
 * waiting a core would get 200 blocks a second done.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

#include "quoit.h"
#include "quoit_io.h"

#include "loopring.h"
#include "measure.h"
#include "pipeline.h"

enum { RATE, CPU };
enum { COMPUTE_NS = 5000000, WORKERS_MAX = 4096 };

static struct pipeline p;
static quoit_wg gone;
static unsigned rounds; /* of the hash, that take so long */

static uint64_t work(const char *buf, unsigned n)
{
    uint64_t hash = 0;

    while (n-- > 0)
        hash = XXH64(buf, PIPELINE_BLOCK, hash);
    return hash;
}

/* Once, in the parent, so that all do the same work. */
static void measure_work(void)
{
    static char block[PIPELINE_BLOCK];
    static volatile uint64_t sink;
    uint64_t t0, least = UINT64_MAX;

    for (int i = 0; i < 5 && !rounds; i++) {
        t0 = now_ns();
        sink = work(block, 4);
        if (now_ns() - t0 < least)
            least = now_ns() - t0;
    }
    (void)sink;
    if (!rounds)
        rounds = (unsigned)iterations_for(COMPUTE_NS, 4, least);
}

static const char *pipeline_why_not(const struct options *o)
{
    measure_work();
    return data_why_not(o);
}

int pipeline_begin(struct pipeline *run, const struct job *job)
{
    size_t size;

    run->job = job;
    run->workers = PIPELINE_EACH * job->procs;
    if (run->workers > WORKERS_MAX)
        run->workers = WORKERS_MAX;
    run->fd = data_cold();
    if (run->fd < 0)
        return run->fd;
    size = (size_t)run->workers * PIPELINE_BLOCK;
    run->buffers = aligned_alloc(DATA_BLOCK, size);
    if (!run->buffers)
        return -ENOMEM;
    memset(run->buffers, 0, size);
    run->cpu = cpu_ns();
    run->began = now_ns();
    return 0;
}

int pipeline_end(struct pipeline *run)
{
    struct outcome *out = run->job->out;

    free(run->buffers);
    if (run->failed)
        return run->failed;
    out->elapsed_ns = now_ns() - run->began;
    out->count = run->done;
    out->value[RATE] = (double)run->done * 1e9 / (double)out->elapsed_ns;
    out->value[CPU] = (double)(cpu_ns() - run->cpu) / 1000 / (double)run->done;
    return 0;
}

bool pipeline_next(struct pipeline *run, uint64_t *block)
{
    *block = run->next++;
    return *block < run->job->iterations && !run->failed;
}

off_t pipeline_at(uint64_t block)
{
    return (off_t)(block * PIPELINE_BLOCK % (data_blocks() * DATA_BLOCK));
}

void pipeline_compute(struct pipeline *run, ssize_t got, const char *buf, uint64_t block)
{
    if (got != PIPELINE_BLOCK ||
        !data_right(buf, PIPELINE_BLOCK, (uint64_t)pipeline_at(block) / DATA_BLOCK)) {
        run->failed =
            outcome_wrong(run->job->out, "reading block %llu gave %s", (unsigned long long)block,
                          got < 0                 ? strerror((int)-got)
                          : got == PIPELINE_BLOCK ? "other data"
                                                  : "too little");
        return;
    }
    run->sum += work(buf, rounds);
    run->done++;
}

static ssize_t plain_pread(int fd, void *buf, size_t n, off_t at)
{
    ssize_t got = pread(fd, buf, n, at);

    return got < 0 ? -errno : got;
}

static void read_and_compute(uintptr_t i, ssize_t (*call)(int, void *, size_t, off_t))
{
    char *buf = p.buffers + i * PIPELINE_BLOCK;
    uint64_t block;

    while (pipeline_next(&p, &block))
        pipeline_compute(&p, call(p.fd, buf, PIPELINE_BLOCK, pipeline_at(block)), buf, block);
}

static int worker(void *arg)
{
    read_and_compute((uintptr_t)arg, quoit_pread);
    quoit_wg_done(&gone);
    return 0;
}

static void *thread_worker(void *arg)
{
    read_and_compute((uintptr_t)arg, plain_pread);
    return NULL;
}

static int pipeline(void *job)
{
    int err = pipeline_begin(&p, job);

    quoit_wg_add(&gone, p.workers);
    for (uintptr_t i = 0; i < (unsigned)p.workers && !err; i++)
        err = quoit_go(worker, (void *)i);
    if (err)
        return err;
    quoit_wg_wait(&gone);
    return pipeline_end(&p);
}

static int thread_pipeline(void *job)
{
    static pthread_t id[WORKERS_MAX];
    int err = pipeline_begin(&p, job);
    uintptr_t n = 0;

    for (; n < (unsigned)p.workers && !err; n += err == 0)
        err = -pthread_create(&id[n], NULL, thread_worker, (void *)n);
    if (err)
        p.failed = err;
    while (n > 0)
        pthread_join(id[--n], NULL);
    return err ? err : pipeline_end(&p);
}

const struct workload workload_pipeline = {
    .name = "pipeline",
    .about = "four goroutines a P read 1 MiB that is not cached and compute on it for 5 ms",
    .metrics = {[RATE] = {.name = "pipeline", .unit = "1/s", .ratio = true},
                [CPU] = {.name = "pipeline-cpu", .unit = "us", .ratio = true}},
    .sides = {{.peer = "quoit", .run = pipeline, .in_quoit = true},
              {.peer = "uring", .run = uring_pipeline, .why_not = loop_ring_why_not},
              {.peer = "pthread", .run = thread_pipeline}},
    .widths = ONE | ALL,
    .start = 16,
    .why_not = pipeline_why_not,
};
