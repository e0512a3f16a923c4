/* SPDX-License-Identifier: BSD-3-Clause
 * loopring.h - what the hand-written liburing loops share
 *
 * A ring for one thread, with all that makes it cheaper for one, and the number
 * of its system calls. Provided buffers come from one ring of buffers, group 0.
 */
#ifndef BENCH_LOOPRING_H
#define BENCH_LOOPRING_H

#include <stdint.h>

#include <liburing.h>

struct loop_ring {
    struct io_uring ring;
    uint64_t calls; /* io_uring_enter */
    struct io_uring_buf_ring *buffers;
    char *space;
    unsigned count, size, given; /* how many buffers, bytes of each; taken back and not yet told */
};

/* So many submissions at a time, so many completions; -errno. */
int loop_ring_open(struct loop_ring *r, unsigned entries, unsigned completions);
void loop_ring_close(struct loop_ring *r);

/* NULL: the ring can be had, with what these loops need. */
const char *loop_ring_why_not(void);

/* `count` provided buffers, a power of two up to 32768; -errno. */
int loop_ring_provide(struct loop_ring *r, unsigned count, unsigned size);
char *loop_ring_buffer(const struct loop_ring *r, unsigned id);
/* The kernel may use that buffer again, from the next loop_ring_enter on. */
void loop_ring_give(struct loop_ring *r, unsigned id);

/* Never NULL: what is queued goes to the kernel when there is no room. */
struct io_uring_sqe *loop_ring_sqe(struct loop_ring *r);

/* Submits all, waits for at least `wait` completions; 0 or -errno. */
int loop_ring_enter(struct loop_ring *r, unsigned wait);

#endif
