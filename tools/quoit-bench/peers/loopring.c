/* SPDX-License-Identifier: BSD-3-Clause
 * loopring.c - what the hand-written liburing loops share
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "loopring.h"

enum { GROUP = 0, PAGE = 4096 };

int loop_ring_open(struct loop_ring *r, unsigned entries, unsigned completions)
{
    struct io_uring_params p = {
        .flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_CQSIZE |
                 IORING_SETUP_CLAMP,
        .cq_entries = completions > entries ? completions : entries,
    };
    int err;

    memset(r, 0, sizeof(*r));
    err = io_uring_queue_init_params(entries, &r->ring, &p);
    /* Without it each call looks the ring up in the table of descriptors. */
    if (!err)
        io_uring_register_ring_fd(&r->ring);
    return err;
}

void loop_ring_close(struct loop_ring *r)
{
    io_uring_queue_exit(&r->ring);
    free(r->buffers);
    free(r->space);
}

const char *loop_ring_why_not(void)
{
    static char why[160];
    struct loop_ring r;
    int err = loop_ring_open(&r, 8, 16);

    if (!err) {
        err = loop_ring_provide(&r, 8, 64);
        loop_ring_close(&r);
    }
    if (!err)
        return NULL;
    snprintf(why, sizeof(why), "its loops need io_uring as Linux 6.1 has it, which gives: %s",
             strerror(-err));
    return why;
}

static size_t whole_pages(size_t bytes)
{
    return (bytes + PAGE - 1) / PAGE * PAGE;
}

int loop_ring_provide(struct loop_ring *r, unsigned count, unsigned size)
{
    struct io_uring_buf_reg reg = {.ring_entries = count, .bgid = GROUP};
    int err;

    r->buffers = aligned_alloc(PAGE, whole_pages(count * sizeof(struct io_uring_buf)));
    r->space = aligned_alloc(PAGE, whole_pages((size_t)count * size));
    if (!r->buffers || !r->space)
        return -ENOMEM;
    reg.ring_addr = (uintptr_t)r->buffers;
    io_uring_buf_ring_init(r->buffers);
    err = io_uring_register_buf_ring(&r->ring, &reg, 0);
    if (err)
        return err;
    r->count = count;
    r->size = size;
    for (unsigned i = 0; i < count; i++)
        loop_ring_give(r, i);
    io_uring_buf_ring_advance(r->buffers, (int)r->given);
    r->given = 0;
    return 0;
}

char *loop_ring_buffer(const struct loop_ring *r, unsigned id)
{
    return r->space + (size_t)id * r->size;
}

void loop_ring_give(struct loop_ring *r, unsigned id)
{
    io_uring_buf_ring_add(r->buffers, loop_ring_buffer(r, id), r->size, (unsigned short)id,
                          io_uring_buf_ring_mask(r->count), (int)r->given++);
}

int loop_ring_enter(struct loop_ring *r, unsigned wait)
{
    int n;

    if (r->given) {
        io_uring_buf_ring_advance(r->buffers, (int)r->given);
        r->given = 0;
    }
    do {
        r->calls++;
        n = io_uring_submit_and_wait(&r->ring, wait);
    } while (n == -EINTR);
    return n < 0 ? n : 0;
}

struct io_uring_sqe *loop_ring_sqe(struct loop_ring *r)
{
    struct io_uring_sqe *sqe;

    while (!(sqe = io_uring_get_sqe(&r->ring)))
        loop_ring_enter(r, 0);
    return sqe;
}
