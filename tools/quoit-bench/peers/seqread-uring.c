/* SPDX-License-Identifier: BSD-3-Clause
 * seqread-uring.c - seqread as one would write it by hand on liburing
 *
 * Eight reads in flight, of one chunk each. Past the page cache it is the
 * program that reads ahead, not the kernel.
 */
#include "loopring.h"
#include "seqread.h"

static struct {
    struct seqread r;
    struct loop_ring ring;
    uint64_t next, done;
    uint64_t chunk[SEQREAD_AHEAD]; /* that slot i waits for */
} s;

static char *buffer(unsigned slot)
{
    return s.r.buffers + (size_t)slot * SEQREAD_CHUNK;
}

static void ask(unsigned slot)
{
    struct io_uring_sqe *sqe = loop_ring_sqe(&s.ring);

    s.chunk[slot] = s.next++;
    io_uring_prep_read(sqe, s.r.fd, buffer(slot), SEQREAD_CHUNK, s.chunk[slot] * SEQREAD_CHUNK);
    io_uring_sqe_set_data64(sqe, slot);
}

static int take(void)
{
    struct io_uring_cqe *cqe;
    int err = 0;

    while (!err && io_uring_peek_cqe(&s.ring.ring, &cqe) == 0) {
        unsigned slot = (unsigned)cqe->user_data;

        err = seqread_check(&s.r, cqe->res, buffer(slot), s.chunk[slot]);
        io_uring_cqe_seen(&s.ring.ring, cqe);
        s.done++;
        if (s.next < s.r.chunks)
            ask(slot);
    }
    return err;
}

int uring_seqread(void *job)
{
    int err = seqread_begin(&s.r, job);

    if (!err)
        err = loop_ring_open(&s.ring, SEQREAD_AHEAD, 2 * SEQREAD_AHEAD);
    if (err)
        return err;
    for (unsigned slot = 0; slot < SEQREAD_AHEAD && s.next < s.r.chunks; slot++)
        ask(slot);
    while (s.done < s.r.chunks && !err) {
        err = loop_ring_enter(&s.ring, 1);
        if (!err)
            err = take();
    }
    s.r.calls = s.ring.calls;
    loop_ring_close(&s.ring);
    return err ? err : seqread_end(&s.r);
}
