/* SPDX-License-Identifier: BSD-3-Clause
 * iolatency.h - what all who wait for bytes beside those who compute share
 */
#ifndef BENCH_IOLATENCY_H
#define BENCH_IOLATENCY_H

#include <stdatomic.h>

#include "bench.h"

enum { IOLATENCY_STREAMS = 4, IOLATENCY_SLICE_NS = 200000 };

struct iolatency {
    const struct job *job;
    int pipe[IOLATENCY_STREAMS]; /* the ends to read from */
    double *us;
    _Atomic uint64_t n;
    _Atomic bool over;   /* who computes may end */
    uint64_t patience; /* when who never yields ends by itself */
};

/* The first starts the other process, in one that has no second thread yet.
 * Both 0 or -errno. */
int iolatency_begin(struct iolatency *l, const struct job *job);
int iolatency_end(struct iolatency *l);

/* Notes one stamp that came out of a pipe. */
void iolatency_note(struct iolatency *l, uint64_t stamp);

/* peers/iolatency-epoll.c */
int epoll_iolatency(void *job);

#endif
