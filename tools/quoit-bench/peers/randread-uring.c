/* SPDX-License-Identifier: BSD-3-Clause
 * randread-uring.c - randread as one would write it by hand on liburing
 *
 * A thread a cpu, bound to it, with its own ring and its part of the 256 reads
 * in flight. Each call hands in all that came back with the call before. With
 * file and buffers registered it is another peer: that spares a read the look
 * at the descriptor and, past the page cache, at its pages.
 */
#include <pthread.h>
#include <sys/uio.h>

#include "randread.h"
#include "loopring.h"

enum { THREADS_MAX = RANDREAD_DEPTH };

struct looper {
    struct loop_ring ring;
    struct randread *r;
    unsigned index, depth;
    bool fixed;
    char *buffers;
    uint64_t seed, left, flying, good;
    uint64_t block[RANDREAD_DEPTH]; /* that slot i waits for */
};

static struct randread run;
static struct looper looper[THREADS_MAX];

static void ask(struct looper *l, unsigned slot)
{
    struct io_uring_sqe *sqe = loop_ring_sqe(&l->ring);
    uint64_t block = randread_next(&l->seed);
    char *buf = l->buffers + (size_t)slot * DATA_BLOCK;

    if (l->fixed) {
        io_uring_prep_read_fixed(sqe, 0, buf, DATA_BLOCK, block * DATA_BLOCK, (int)slot);
        sqe->flags |= IOSQE_FIXED_FILE;
    } else {
        io_uring_prep_read(sqe, l->r->fd, buf, DATA_BLOCK, block * DATA_BLOCK);
    }
    io_uring_sqe_set_data64(sqe, slot);
    l->block[slot] = block;
    l->left--;
    l->flying++;
}

static void take(struct looper *l)
{
    struct io_uring_cqe *cqe;
    unsigned head, n = 0;

    io_uring_for_each_cqe(&l->ring.ring, head, cqe) {
        unsigned slot = (unsigned)cqe->user_data;

        n++;
        l->flying--;
        if (!randread_check(l->r, cqe->res, l->buffers + (size_t)slot * DATA_BLOCK,
                            l->block[slot]))
            l->left = 0;
        l->good++;
        if (l->left > 0)
            ask(l, slot);
    }
    io_uring_cq_advance(&l->ring.ring, n);
}

static int fix(struct looper *l)
{
    struct iovec iov[RANDREAD_DEPTH];
    int err = io_uring_register_files(&l->ring.ring, &l->r->fd, 1);

    for (unsigned i = 0; i < l->depth; i++)
        iov[i] = (struct iovec){l->buffers + (size_t)i * DATA_BLOCK, DATA_BLOCK};
    return err ? err : io_uring_register_buffers(&l->ring.ring, iov, l->depth);
}

static int loop(struct looper *l)
{
    int err = l->fixed ? fix(l) : 0;

    for (unsigned slot = 0; slot < l->depth && l->left > 0 && !err; slot++)
        ask(l, slot);
    while (l->flying > 0 && !err) {
        err = loop_ring_enter(&l->ring, 1);
        take(l);
    }
    return err;
}

static void *thread_loop(void *arg)
{
    struct looper *l = arg;
    int err;

    machine_take_cpu((int)l->index);
    err = loop_ring_open(&l->ring, RANDREAD_DEPTH, 2 * RANDREAD_DEPTH);
    if (!err) {
        err = loop(l);
        loop_ring_close(&l->ring);
    }
    if (err)
        l->r->failed = err;
    l->r->done += l->good;
    l->r->calls += l->ring.calls;
    return NULL;
}

static void prepare(struct looper *l, unsigned i, unsigned n)
{
    l->r = &run;
    l->index = i;
    l->depth = RANDREAD_DEPTH / n;
    l->fixed = run.job->factor & RANDREAD_FIXED;
    l->buffers = run.buffers + (size_t)i * l->depth * DATA_BLOCK;
    l->seed = i;
    l->left = randread_share(&run, i, n);
}

int uring_randread(void *arg)
{
    static pthread_t id[THREADS_MAX];
    const struct job *job = arg;
    unsigned wanted = (unsigned)job->procs, started = 0;
    unsigned n = wanted < THREADS_MAX ? wanted : THREADS_MAX;
    int err = randread_begin(&run, job);

    for (; started < n && !err; started += err == 0) {
        prepare(&looper[started], started, n);
        err = -pthread_create(&id[started], NULL, thread_loop, &looper[started]);
    }
    if (err)
        run.failed = err;
    while (started > 0)
        pthread_join(id[--started], NULL);
    return err ? err : randread_end(&run);
}
