/* SPDX-License-Identifier: BSD-3-Clause
 * feed.h - paths from one walker to many readers
 *
 * A ring of batches. The walker is ahead of the readers by two halves of the
 * ring at most, and is woken once a half: waking a sleeping thread for each
 * batch would cost more than walking. The semaphores are the peer's own, all
 * else is the same for each.
 *
 *     walker    fills a batch, posts `ready`; waits for `room` of a half to enter it
 *     reader    waits for `ready`, takes the next number
 *               the last one to be done with a half posts its `room`
 *
 * Each half has its own `room`: a slow reader may still hold a batch of the
 * older half when all of the newer one is done.
 *
 * A reader that got through `ready` may take a batch older or newer than the
 * one its post was for. It is filled all the same: as many posts as numbers
 * were taken have been seen by those who took them.
 */
#ifndef BENCH_FEED_H
#define BENCH_FEED_H

#include <limits.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <sys/types.h>

#include "quoit.h"

#include "bench.h"

enum { FEED_HALF = 256, FEED_FILES = 8 };

union feed_sema {
    quoit_sema quoit;
    sem_t posix;
};

/* The one difference between the peers of `scan`. Errors are -errno. */
struct feed_calls {
    int (*openat)(int dirfd, const char *path, int flags, mode_t mode);
    ssize_t (*read)(int fd, void *buf, size_t n);
    int (*close)(int fd);
    void (*init)(union feed_sema *s, unsigned n);
    void (*wait)(union feed_sema *s);
    void (*post)(union feed_sema *s);
};

struct feed_batch {
    unsigned n, used;
    char text[PATH_MAX]; /* n paths, each with its end */
};

struct feed {
    const struct feed_calls *calls;
    union feed_sema ready, room[2];
    _Atomic uint64_t taken;
    _Atomic uint64_t total; /* UINT64_MAX until the walk is over */
    _Atomic unsigned left[2];
    uint64_t made; /* the walker's */
    struct feed_batch batch[2 * FEED_HALF];
};

struct feed *feed_new(const struct feed_calls *calls);

/* The walker. `feed` is void so that this is a walk_fn. */
int feed_put(const char *path, void *feed);
void feed_end(struct feed *f, int readers);

/* A reader: the next batch and its number, or NULL at the end. */
const struct feed_batch *feed_take(struct feed *f, uint64_t *number);
void feed_done(struct feed *f, uint64_t number);

#endif
