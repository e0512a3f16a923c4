/* SPDX-License-Identifier: BSD-3-Clause
 * seqread.h - what all who read one file from end to end share
 */
#ifndef BENCH_SEQREAD_H
#define BENCH_SEQREAD_H

#include "bench.h"
#include "data.h"

enum { SEQREAD_CHUNK = 128 * 1024, SEQREAD_AHEAD = 8 };

/* side.factor */
enum { SEQREAD_CACHED = 0, SEQREAD_DIRECT = 1 };

struct seqread {
    const struct job *job;
    int fd;
    char *buffers; /* SEQREAD_AHEAD of SEQREAD_CHUNK */
    uint64_t chunks, calls, began, cpu;
};

/* The first makes all ready and starts the clock. Both 0 or -errno. */
int seqread_begin(struct seqread *r, const struct job *job);
int seqread_end(struct seqread *r);

/* Of a read of a whole chunk: 0, or what is wrong with it. */
int seqread_check(struct seqread *r, ssize_t got, const char *buf, uint64_t chunk);

/* peers/seqread-uring.c */
int uring_seqread(void *job);

#endif
