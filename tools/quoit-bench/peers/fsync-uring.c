/* SPDX-License-Identifier: BSD-3-Clause
 * fsync-uring.c - fsync as one would write it by hand on liburing
 *
 * One thread. A write and its fsync are a link, and of a write that went well
 * there is no completion.
 */
#include <errno.h>

#include "fsync.h"
#include "loopring.h"
#include "measure.h"

enum { WRITE, FSYNC };

static struct {
    struct fsyncs f;
    struct loop_ring ring;
    uint64_t asked[FSYNC_WRITERS], began[FSYNC_WRITERS];
    unsigned flying;
} s;

static void ask(unsigned i)
{
    struct io_uring_sqe *sqe = loop_ring_sqe(&s.ring);

    s.began[i] = now_ns();
    io_uring_prep_write(sqe, s.f.fd[i], s.f.block, DATA_BLOCK, (uint64_t)fsyncs_at(s.asked[i]++));
    sqe->flags |= IOSQE_IO_LINK | IOSQE_CQE_SKIP_SUCCESS;
    io_uring_sqe_set_data64(sqe, i << 1 | WRITE);
    sqe = loop_ring_sqe(&s.ring);
    io_uring_prep_fsync(sqe, s.f.fd[i], 0);
    io_uring_sqe_set_data64(sqe, i << 1 | FSYNC);
    s.flying++;
}

static void take(void)
{
    struct io_uring_cqe *cqe;

    while (io_uring_peek_cqe(&s.ring.ring, &cqe) == 0) {
        unsigned i = (unsigned)cqe->user_data >> 1;
        bool synced = (cqe->user_data & 1) == FSYNC;
        int res = cqe->res;

        io_uring_cqe_seen(&s.ring.ring, cqe);
        /* A write that failed or was short is told first, its fsync is cancelled. */
        if (!synced) {
            fsyncs_note(&s.f, s.began[i], res < 0 ? res : -ENOSPC);
            continue;
        }
        s.flying--;
        if (res != -ECANCELED)
            fsyncs_note(&s.f, s.began[i], res);
        if (!s.f.failed && s.asked[i] < fsyncs_share(&s.f, i))
            ask(i);
    }
}

int uring_fsync(void *job)
{
    int err = fsyncs_begin(&s.f, job);

    if (!err)
        err = loop_ring_open(&s.ring, 2 * FSYNC_WRITERS, 4 * FSYNC_WRITERS);
    if (err)
        return err;
    for (unsigned i = 0; i < FSYNC_WRITERS; i++)
        if (fsyncs_share(&s.f, i) > 0)
            ask(i);
    while (s.flying > 0 && !err) {
        err = loop_ring_enter(&s.ring, 1);
        take();
    }
    loop_ring_close(&s.ring);
    return err ? err : fsyncs_end(&s.f);
}
