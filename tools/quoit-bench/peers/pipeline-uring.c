/* SPDX-License-Identifier: BSD-3-Clause
 * pipeline-uring.c - pipeline as one would write it by hand on liburing
 *
 * A thread a cpu, bound to it. While it computes on one block the next three are
 * being read.
 */
#include <errno.h>
#include <pthread.h>

#include "loopring.h"
#include "pipeline.h"

enum { THREADS_MAX = 1024 };

static struct pipeline p;

struct looper {
    struct loop_ring ring;
    unsigned index, flying;
    uint64_t block[PIPELINE_EACH];
};

static char *buffer(const struct looper *l, unsigned slot)
{
    return p.buffers + (size_t)(l->index * PIPELINE_EACH + slot) * PIPELINE_BLOCK;
}

static void ask(struct looper *l, unsigned slot)
{
    struct io_uring_sqe *sqe;

    if (!pipeline_next(&p, &l->block[slot]))
        return;
    sqe = loop_ring_sqe(&l->ring);
    io_uring_prep_read(sqe, p.fd, buffer(l, slot), PIPELINE_BLOCK,
                       (uint64_t)pipeline_at(l->block[slot]));
    io_uring_sqe_set_data64(sqe, slot);
    l->flying++;
}

/* One block; what is to be read next is handed in before the next is waited for. */
static void take_one(struct looper *l)
{
    struct io_uring_cqe *cqe;
    unsigned slot;
    int got;

    if (io_uring_peek_cqe(&l->ring.ring, &cqe))
        return;
    slot = (unsigned)cqe->user_data;
    got = cqe->res;
    io_uring_cqe_seen(&l->ring.ring, cqe);
    l->flying--;
    pipeline_compute(&p, got, buffer(l, slot), l->block[slot]);
    ask(l, slot);
}

static void *loop(void *arg)
{
    struct looper *l = arg;
    int err;

    machine_take_cpu((int)l->index);
    err = loop_ring_open(&l->ring, PIPELINE_EACH, 2 * PIPELINE_EACH);
    if (err) {
        p.failed = err;
        return NULL;
    }
    for (unsigned slot = 0; slot < PIPELINE_EACH; slot++)
        ask(l, slot);
    while (l->flying > 0 && !err) {
        err = loop_ring_enter(&l->ring, 1);
        take_one(l);
    }
    if (err)
        p.failed = err;
    loop_ring_close(&l->ring);
    return NULL;
}

int uring_pipeline(void *job)
{
    static struct looper looper[THREADS_MAX];
    static pthread_t id[THREADS_MAX];
    int err = pipeline_begin(&p, job);
    unsigned n = 0;

    for (; n < (unsigned)p.workers / PIPELINE_EACH && !err; n += err == 0) {
        looper[n].index = n;
        err = -pthread_create(&id[n], NULL, loop, &looper[n]);
    }
    if (err)
        p.failed = err;
    while (n > 0)
        pthread_join(id[--n], NULL);
    return err ? err : pipeline_end(&p);
}
