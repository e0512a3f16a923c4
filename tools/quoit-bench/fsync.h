/* SPDX-License-Identifier: BSD-3-Clause
 * fsync.h - what all who write and wait for the disk share
 */
#ifndef BENCH_FSYNC_H
#define BENCH_FSYNC_H

#include <stdatomic.h>

#include "bench.h"
#include "data.h"

/* Each has a file of its own, and begins anew where that is full. */
enum { FSYNC_WRITERS = 16, FSYNC_FILE = 4 << 20 };

struct fsyncs {
    const struct job *job;
    int fd[FSYNC_WRITERS];
    char *block; /* what is written */
    double *us;  /* of each write with its fsync */
    _Atomic uint64_t done;
    _Atomic int failed;
    uint64_t began, cpu;
};

/* The first makes all ready and starts the clock. Both 0 or -errno. */
int fsyncs_begin(struct fsyncs *f, const struct job *job);
int fsyncs_end(struct fsyncs *f);

/* How many are the i-th writer's own. */
uint64_t fsyncs_share(const struct fsyncs *f, unsigned i);

/* One that began then is over; `err` is what went wrong with it, or 0. */
void fsyncs_note(struct fsyncs *f, uint64_t began, int err);

/* Where the k-th write of a writer goes. */
static inline off_t fsyncs_at(uint64_t k)
{
    return (off_t)(k * DATA_BLOCK % FSYNC_FILE);
}

/* peers/fsync-uring.c */
int uring_fsync(void *job);

#endif
