/* SPDX-License-Identifier: BSD-3-Clause
 * randread.h - what all who read blocks at random share
 */
#ifndef BENCH_RANDREAD_H
#define BENCH_RANDREAD_H

#include <stdatomic.h>

#include "bench.h"
#include "data.h"

/* side.factor: which file, and for the loops whether file and buffers are
 * registered with the ring. */
enum { RANDREAD_HOT = 0, RANDREAD_DIRECT = 1, RANDREAD_FIXED = 2 };

enum { RANDREAD_DEPTH = 256 };

struct randread {
    const struct job *job;
    int fd;
    char *buffers; /* RANDREAD_DEPTH of DATA_BLOCK */
    _Atomic int failed;
    _Atomic uint64_t calls, done;
    uint64_t began, cpu;
};

/* The first makes all ready and starts the clock. Both 0 or -errno. */
int randread_begin(struct randread *r, const struct job *job);
int randread_end(struct randread *r);

/* Of the i-th of n who share the work: how many reads are its own. */
uint64_t randread_share(const struct randread *r, uint64_t i, uint64_t n);

/* Notes what is wrong with a read that gave `got`; true: nothing is. */
bool randread_check(struct randread *r, ssize_t got, const char *buf, uint64_t block);

static inline uint64_t randread_next(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return (*state >> 33) % data_blocks();
}

/* peers/randread-uring.c */
int uring_randread(void *job);

#endif
