/* SPDX-License-Identifier: BSD-3-Clause
 * fsync.c - sixteen that write 4 KiB and wait until the disk has it, again and again
 *
 * As databases do with their logs. The rate is the disk's and the file
 * system's, which puts together what comes at the same time.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "quoit.h"
#include "quoit_io.h"

#include "fsync.h"
#include "loopring.h"
#include "measure.h"

enum { RATE, P50, P99, CPU };

static struct fsyncs f;
static quoit_wg gone;

int fsyncs_begin(struct fsyncs *run, const struct job *job)
{
    run->job = job;
    for (unsigned i = 0; i < FSYNC_WRITERS; i++) {
        run->fd[i] = data_scratch(job->options);
        if (run->fd[i] < 0)
            return outcome_wrong(job->out, "a file to write into: %s. --data names another folder",
                                 strerror(-run->fd[i]));
    }
    run->block = aligned_alloc(DATA_BLOCK, DATA_BLOCK);
    run->us = calloc(job->iterations, sizeof(*run->us));
    if (!run->block || !run->us)
        return -ENOMEM;
    memset(run->block, 'q', DATA_BLOCK);
    run->cpu = cpu_ns();
    run->began = now_ns();
    return 0;
}

int fsyncs_end(struct fsyncs *run)
{
    struct outcome *out = run->job->out;
    uint64_t n = run->job->iterations;

    if (run->failed)
        return outcome_wrong(out, "a write and its fsync: %s", strerror(-run->failed));
    if (run->done != n)
        return outcome_wrong(out, "%llu writes instead of %llu", (unsigned long long)run->done,
                             (unsigned long long)n);
    out->elapsed_ns = now_ns() - run->began;
    out->count = n;
    out->value[RATE] = (double)n * 1e9 / (double)out->elapsed_ns;
    out->value[CPU] = (double)(cpu_ns() - run->cpu) / 1000 / (double)n;
    sort_doubles(run->us, n);
    out->value[P50] = percentile_sorted(run->us, n, 50);
    out->value[P99] = percentile_sorted(run->us, n, 99);
    free(run->us);
    free(run->block);
    for (unsigned i = 0; i < FSYNC_WRITERS; i++)
        close(run->fd[i]);
    return 0;
}

uint64_t fsyncs_share(const struct fsyncs *run, unsigned i)
{
    return run->job->iterations / FSYNC_WRITERS + (i < run->job->iterations % FSYNC_WRITERS);
}

void fsyncs_note(struct fsyncs *run, uint64_t began, int err)
{
    if (err)
        run->failed = err;
    else
        run->us[run->done++] = (double)(now_ns() - began) / 1000;
}

/* 0, or what is wrong with a write that gave `put`. */
static int wrong(ssize_t put)
{
    return put < 0 ? (int)put : put < DATA_BLOCK ? -ENOSPC : 0;
}

static int writer(void *arg)
{
    unsigned i = (unsigned)(uintptr_t)arg;

    for (uint64_t k = 0; k < fsyncs_share(&f, i) && !f.failed; k++) {
        uint64_t began = now_ns();
        int err = wrong(quoit_pwrite(f.fd[i], f.block, DATA_BLOCK, fsyncs_at(k)));

        fsyncs_note(&f, began, err ? err : quoit_fsync(f.fd[i]));
    }
    quoit_wg_done(&gone);
    return 0;
}

static void *thread_writer(void *arg)
{
    unsigned i = (unsigned)(uintptr_t)arg;

    for (uint64_t k = 0; k < fsyncs_share(&f, i) && !f.failed; k++) {
        uint64_t began = now_ns();
        ssize_t put = pwrite(f.fd[i], f.block, DATA_BLOCK, fsyncs_at(k));
        int err = put < 0 ? -errno : wrong(put);

        fsyncs_note(&f, began, err ? err : fsync(f.fd[i]) < 0 ? -errno : 0);
    }
    return NULL;
}

static int fsyncs(void *job)
{
    int err = fsyncs_begin(&f, job);

    quoit_wg_add(&gone, FSYNC_WRITERS);
    for (uintptr_t i = 0; i < FSYNC_WRITERS && !err; i++)
        err = quoit_go(writer, (void *)i);
    if (err)
        return err;
    quoit_wg_wait(&gone);
    return fsyncs_end(&f);
}

static int thread_fsync(void *job)
{
    int err = fsyncs_begin(&f, job);
    pthread_t id[FSYNC_WRITERS];
    uintptr_t n = 0;

    for (; n < FSYNC_WRITERS && !err; n += err == 0)
        err = -pthread_create(&id[n], NULL, thread_writer, (void *)n);
    if (err)
        f.failed = err;
    while (n > 0)
        pthread_join(id[--n], NULL);
    return err ? err : fsyncs_end(&f);
}

const struct workload workload_fsync = {
    .name = "fsync",
    .about = "16 goroutines write 4 KiB each into their files and wait for the disk",
    .metrics = {[RATE] = {.name = "fsync", .unit = "1/s", .ratio = true},
                [P50] = {.name = "fsync-p50", .unit = "us"},
                [P99] = {.name = "fsync-p99", .unit = "us", .ratio = true},
                [CPU] = {.name = "fsync-cpu", .unit = "us", .ratio = true}},
    .sides = {{.peer = "quoit", .run = fsyncs, .in_quoit = true},
              {.peer = "uring", .run = uring_fsync, .why_not = loop_ring_why_not},
              {.peer = "pthread", .run = thread_fsync}},
    .widths = ALL,
    .start = 64,
    .why_not = data_why_not_scratch,
};
