/* SPDX-License-Identifier: BSD-3-Clause
 * pipeline.h - what all who read and then compute share
 */
#ifndef BENCH_PIPELINE_H
#define BENCH_PIPELINE_H

#include <stdatomic.h>

#include "bench.h"
#include "data.h"

enum { PIPELINE_BLOCK = 1 << 20, PIPELINE_EACH = 4 /* a P, or a cpu */ };

struct pipeline {
    const struct job *job;
    int fd, workers;
    char *buffers; /* PIPELINE_BLOCK for each worker */
    _Atomic uint64_t next, done, sum;
    _Atomic int failed;
    uint64_t began, cpu;
};

/* The first makes all ready and starts the clock. Both 0 or -errno. */
int pipeline_begin(struct pipeline *p, const struct job *job);
int pipeline_end(struct pipeline *p);

/* The next block that nobody has taken; false: there is none. */
bool pipeline_next(struct pipeline *p, uint64_t *block);
off_t pipeline_at(uint64_t block);

/* What is done with a block that was read: some 5 ms of work. */
void pipeline_compute(struct pipeline *p, ssize_t got, const char *buf, uint64_t block);

/* peers/pipeline-uring.c */
int uring_pipeline(void *job);

#endif
