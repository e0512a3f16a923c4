/* SPDX-License-Identifier: BSD-3-Clause
 * seqread.c - one file from its beginning to its end, nothing of it in the page cache
 *
 * The plain loop of a program that reads: the kernel reads ahead of it. What is
 * to be seen is whether it still does when the reads come by way of a library.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "quoit.h"
#include "quoit_io.h"

#include "loopring.h"
#include "measure.h"
#include "seqread.h"

enum { RATE, CPU, CALLS };

static struct seqread r;

int seqread_begin(struct seqread *run, const struct job *job)
{
    run->job = job;
    run->fd = job->factor & SEQREAD_DIRECT ? data_direct() : data_cold();
    if (run->fd < 0)
        return run->fd;
    run->buffers = aligned_alloc(DATA_BLOCK, (size_t)SEQREAD_AHEAD * SEQREAD_CHUNK);
    if (!run->buffers)
        return -ENOMEM;
    memset(run->buffers, 0, (size_t)SEQREAD_AHEAD * SEQREAD_CHUNK);
    run->chunks = data_blocks() * DATA_BLOCK / SEQREAD_CHUNK;
    run->cpu = cpu_ns();
    run->began = now_ns();
    return 0;
}

int seqread_end(struct seqread *run)
{
    struct outcome *out = run->job->out;
    double bytes = (double)run->chunks * SEQREAD_CHUNK;

    out->elapsed_ns = now_ns() - run->began;
    out->count = run->chunks;
    out->value[RATE] = bytes / (double)out->elapsed_ns;
    out->value[CPU] = (double)(cpu_ns() - run->cpu) / 1000 / (bytes / 1e6);
    out->value[CALLS] = (double)run->calls / (double)run->chunks;
    free(run->buffers);
    return 0;
}

int seqread_check(struct seqread *run, ssize_t got, const char *buf, uint64_t chunk)
{
    if (got == SEQREAD_CHUNK &&
        data_right(buf, SEQREAD_CHUNK, chunk * (SEQREAD_CHUNK / DATA_BLOCK)))
        return 0;
    return outcome_wrong(run->job->out, "reading at %llu gave %s",
                         (unsigned long long)chunk * SEQREAD_CHUNK,
                         got < 0                ? strerror((int)-got)
                         : got == SEQREAD_CHUNK ? "other data"
                                                : "too little");
}

static ssize_t plain_read(int fd, void *buf, size_t n)
{
    ssize_t got = read(fd, buf, n);

    return got < 0 ? -errno : got;
}

static int read_all(ssize_t (*call)(int, void *, size_t))
{
    int err = 0;

    for (uint64_t i = 0; i < r.chunks && !err; i++)
        err = seqread_check(&r, call(r.fd, r.buffers, SEQREAD_CHUNK), r.buffers, i);
    return err;
}

static int seqread(void *job)
{
    int err = seqread_begin(&r, job);
    uint64_t calls = quoit_system_calls();

    if (!err)
        err = read_all(quoit_read);
    r.calls = quoit_system_calls() - calls;
    return err ? err : seqread_end(&r);
}

static int thread_seqread(void *job)
{
    int err = seqread_begin(&r, job);

    if (!err)
        err = read_all(plain_read);
    r.calls = r.chunks;
    return err ? err : seqread_end(&r);
}

const struct workload workload_seqread = {
    .name = "seqread",
    .about = "one goroutine reads a file that is not in the page cache, 128 KiB at a time",
    .metrics = {[RATE] = {.name = "seqread", .unit = "GB/s", .ratio = true},
                [CPU] = {.name = "seqread-cpu", .unit = "us/MB", .ratio = true},
                [CALLS] = {.name = "seqread-calls", .unit = "calls/op"}},
    .sides = {{.peer = "quoit", .run = seqread, .in_quoit = true},
              {.peer = "uring", .run = uring_seqread, .why_not = loop_ring_why_not},
              {.peer = "uring-direct",
               .run = uring_seqread,
               .why_not = loop_ring_why_not,
               .factor = SEQREAD_DIRECT},
              {.peer = "pthread", .run = thread_seqread}},
    .widths = ONE,
    .start = 1,
    .fixed = true,
    .whole = true,
    .why_not = data_why_not_direct,
};
