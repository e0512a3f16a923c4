/* SPDX-License-Identifier: BSD-3-Clause
 * randread.c - blocks of 4 KiB at random places of one file, 256 at a time
 *
 * From the page cache, where what counts is the way to the data, and past it,
 * where it is the device's rate and what each read costs besides.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "quoit.h"
#include "quoit_io.h"

#include "measure.h"
#include "randread.h"
#include "loopring.h"

enum { RATE, CPU, CALLS };

static struct randread r;
static quoit_wg gone;

int randread_begin(struct randread *run, const struct job *job)
{
    run->job = job;
    run->fd = job->factor & RANDREAD_DIRECT ? data_direct() : data_hot();
    if (run->fd < 0)
        return run->fd;
    run->buffers = aligned_alloc(DATA_BLOCK, (size_t)RANDREAD_DEPTH * DATA_BLOCK);
    if (!run->buffers)
        return -ENOMEM;
    memset(run->buffers, 0, (size_t)RANDREAD_DEPTH * DATA_BLOCK);
    run->cpu = cpu_ns();
    run->began = now_ns();
    return 0;
}

int randread_end(struct randread *run)
{
    struct outcome *out = run->job->out;
    uint64_t elapsed = now_ns() - run->began, cpu = cpu_ns() - run->cpu;
    double reads = (double)run->job->iterations;

    free(run->buffers);
    if (run->failed)
        return run->failed;
    if (run->done != run->job->iterations)
        return outcome_wrong(out, "%llu reads instead of %llu", (unsigned long long)run->done,
                             (unsigned long long)run->job->iterations);
    out->elapsed_ns = elapsed;
    out->count = run->done;
    out->value[RATE] = reads * 1e9 / (double)elapsed;
    out->value[CPU] = (double)cpu / 1000 / reads;
    out->value[CALLS] = (double)run->calls / reads;
    return 0;
}

uint64_t randread_share(const struct randread *run, uint64_t i, uint64_t n)
{
    return run->job->iterations / n + (i < run->job->iterations % n);
}

bool randread_check(struct randread *run, ssize_t got, const char *buf, uint64_t block)
{
    if (got == DATA_BLOCK && data_right(buf, DATA_BLOCK, block))
        return true;
    run->failed = outcome_wrong(run->job->out, "a read of block %llu gave %s",
                                (unsigned long long)block,
                                got < 0             ? strerror((int)-got)
                                : got == DATA_BLOCK ? "other data"
                                                    : "too little");
    return false;
}

static ssize_t plain_pread(int fd, void *buf, size_t n, off_t at)
{
    ssize_t got = pread(fd, buf, n, at);

    return got < 0 ? -errno : got;
}

static void read_share(uint64_t i, ssize_t (*call)(int, void *, size_t, off_t))
{
    uint64_t seed = i, n = randread_share(&r, i, RANDREAD_DEPTH);
    char *buf = r.buffers + i * DATA_BLOCK;

    for (uint64_t k = 0; k < n && !r.failed; k++) {
        uint64_t block = randread_next(&seed);
        ssize_t got = call(r.fd, buf, DATA_BLOCK, (off_t)(block * DATA_BLOCK));

        if (!randread_check(&r, got, buf, block))
            return;
    }
    r.done += n;
}

static int reader(void *arg)
{
    read_share((uintptr_t)arg, quoit_pread);
    quoit_wg_done(&gone);
    return 0;
}

static void *thread_reader(void *arg)
{
    read_share((uintptr_t)arg, plain_pread);
    return NULL;
}

static int randread(void *arg)
{
    int err = randread_begin(&r, arg);
    uint64_t calls = quoit_system_calls();

    quoit_wg_add(&gone, RANDREAD_DEPTH);
    for (uintptr_t i = 0; i < RANDREAD_DEPTH && !err; i++)
        err = quoit_go(reader, (void *)i);
    if (err)
        return err;
    quoit_wg_wait(&gone);
    r.calls = quoit_system_calls() - calls;
    return randread_end(&r);
}

static int thread_randread(void *arg)
{
    static pthread_t id[RANDREAD_DEPTH];
    int err = randread_begin(&r, arg);
    uintptr_t n = 0;
    pthread_attr_t attr;

    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, PEER_STACK);
    while (n < RANDREAD_DEPTH && !err) {
        err = -pthread_create(&id[n], &attr, thread_reader, (void *)n);
        n += err == 0;
    }
    pthread_attr_destroy(&attr);
    if (err)
        r.failed = err;
    while (n > 0)
        pthread_join(id[--n], NULL);
    r.calls = r.done;
    return err ? err : randread_end(&r);
}

#define SIDES(how)                                                                                 \
    {                                                                                              \
        {.peer = "quoit", .run = randread, .in_quoit = true, .factor = how},                       \
            {.peer = "uring",                                                                      \
             .run = uring_randread,                                                                \
             .why_not = loop_ring_why_not,                                                         \
             .factor = how},                                                                       \
            {.peer = "uring-fixed",                                                                \
             .run = uring_randread,                                                                \
             .why_not = loop_ring_why_not,                                                         \
             .factor = how | RANDREAD_FIXED},                                                      \
            {.peer = "pthread", .run = thread_randread, .factor = how},                            \
    }

const struct workload workload_randread_hot = {
    .name = "randread-hot",
    .group = "randread",
    .about = "256 goroutines read 4 KiB each at random places of a file in the page cache",
    .metrics = {[RATE] = {.name = "randread-hot", .unit = "1/s", .ratio = true},
                [CPU] = {.name = "randread-hot-cpu", .unit = "us", .ratio = true},
                [CALLS] = {.name = "randread-hot-calls", .unit = "calls/op"}},
    .sides = SIDES(RANDREAD_HOT),
    .widths = ONE | ALL,
    .start = 20000,
    .why_not = data_why_not,
};

const struct workload workload_randread_direct = {
    .name = "randread-direct",
    .group = "randread",
    .about = "the same past the page cache (O_DIRECT)",
    .metrics = {[RATE] = {.name = "randread-direct", .unit = "1/s", .ratio = true},
                [CPU] = {.name = "randread-direct-cpu", .unit = "us", .ratio = true},
                [CALLS] = {.name = "randread-direct-calls", .unit = "calls/op"}},
    .sides = SIDES(RANDREAD_DIRECT),
    .widths = ONE | ALL,
    .start = 2000,
    .why_not = data_why_not_direct,
};
