/* SPDX-License-Identifier: BSD-3-Clause
 * echo-uring-once.c - the other way to write an echo server on liburing
 *
 * Each connection has its buffer, and a receive for each request. Send and next receive
 * are handed in as a link, so the buffer is free when the receive begins, and of
 * a send that went well there is no completion: a request takes one. With many
 * connections this is the better one now and then.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "echo.h"
#include "loopring.h"

#include "atomic.h"

enum { ACCEPT, RECV, SEND, CLOSE, KIND_BITS = 2 };
enum { FLUSH = 32, ENTRIES = 1024, SPARE = 64, COMPLETIONS_LEAST = 1024 };

struct server {
    struct echo *e;
    struct loop_ring ring;
    char (*buffer)[ECHO_BUFFER]; /* by index of the registered file */
    int closed, err;
    unsigned queued;
};

static struct server server;

static uint64_t tag(unsigned kind, uint64_t conn)
{
    return conn << KIND_BITS | kind;
}

static void enter(struct server *s, unsigned wait)
{
    int err = loop_ring_enter(&s->ring, wait);

    if (err)
        s->err = err;
    s->queued = 0;
    store_relaxed(&s->e->shared->calls, s->ring.calls);
}

static void accept_all(struct server *s)
{
    struct io_uring_sqe *sqe = loop_ring_sqe(&s->ring);

    io_uring_prep_multishot_accept_direct(sqe, s->e->listener, NULL, NULL, 0);
    io_uring_sqe_set_data64(sqe, tag(ACCEPT, 0));
}

static void receive_on(struct server *s, unsigned conn)
{
    struct io_uring_sqe *sqe = loop_ring_sqe(&s->ring);

    io_uring_prep_recv(sqe, (int)conn, s->buffer[conn], ECHO_BUFFER, 0);
    sqe->flags |= IOSQE_FIXED_FILE;
    io_uring_sqe_set_data64(sqe, tag(RECV, conn));
}

/* Both in one go: a link ends where what is handed in ends. */
static void answer(struct server *s, unsigned conn, size_t n)
{
    struct io_uring_sqe *sqe;

    if (io_uring_sq_space_left(&s->ring.ring) < 2)
        enter(s, 0);
    sqe = loop_ring_sqe(&s->ring);
    io_uring_prep_send(sqe, (int)conn, s->buffer[conn], n, MSG_WAITALL | MSG_NOSIGNAL);
    sqe->flags |= IOSQE_FIXED_FILE | IOSQE_IO_LINK | IOSQE_CQE_SKIP_SUCCESS;
    io_uring_sqe_set_data64(sqe, tag(SEND, conn));
    receive_on(s, conn);
    if (++s->queued == FLUSH)
        enter(s, 0);
}

static void hang_up(struct server *s, unsigned conn)
{
    struct io_uring_sqe *sqe = loop_ring_sqe(&s->ring);

    io_uring_prep_close_direct(sqe, conn);
    io_uring_sqe_set_data64(sqe, tag(CLOSE, conn));
}

static void admitted(struct server *s, const struct io_uring_cqe *cqe)
{
    if (cqe->res < 0) {
        s->err = cqe->res;
        return;
    }
    receive_on(s, (unsigned)cqe->res);
    if (!(cqe->flags & IORING_CQE_F_MORE))
        accept_all(s);
}

static void take(struct server *s)
{
    struct io_uring_cqe *cqe;

    while (io_uring_peek_cqe(&s->ring.ring, &cqe) == 0) {
        struct io_uring_cqe c = *cqe;
        unsigned conn = (unsigned)(c.user_data >> KIND_BITS);

        io_uring_cqe_seen(&s->ring.ring, cqe);
        switch (c.user_data & ((1 << KIND_BITS) - 1)) {
        case ACCEPT:
            admitted(s, &c);
            break;
        case RECV:
            if (c.res > 0)
                answer(s, conn, (size_t)c.res);
            else
                hang_up(s, conn);
            break;
        case CLOSE:
            s->closed++;
        }
        /* A send that failed takes its receive with it. */
    }
}

int uring_serve_once(struct echo *e)
{
    unsigned conns = (unsigned)e->conns + SPARE;
    struct server *s = &server;

    s->e = e;
    s->buffer = calloc(conns, sizeof(*s->buffer));
    if (!s->buffer)
        return -ENOMEM;
    s->err = loop_ring_open(&s->ring, ENTRIES, 2 * conns + COMPLETIONS_LEAST);
    if (s->err)
        return s->err;
    s->err = io_uring_register_files_sparse(&s->ring.ring, conns);
    if (!s->err)
        accept_all(s);
    while (s->closed < e->conns && !s->err) {
        enter(s, 1);
        take(s);
    }
    loop_ring_close(&s->ring);
    free(s->buffer);
    return s->err;
}
