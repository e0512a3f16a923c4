/* SPDX-License-Identifier: BSD-3-Clause
 * echo-uring.c - an echo server as one would write it by hand on liburing
 *
 * One accept for all connections and one receive for each, which go on by
 * themselves; what comes lies in a buffer of a common ring, is sent from there, and the
 * buffer is given back when the send is done. One send of a connection at a
 * time: two on their way could change places. Connections are registered files from the
 * start and never have a descriptor. Sends are handed in by 32 while the rest is
 * gone through, so that the other side need not wait for all.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "echo.h"
#include "loopring.h"

#include "atomic.h"

enum { ACCEPT, RECV, SEND, CLOSE, KIND_BITS = 2 };
enum { FLUSH = 32, ENTRIES = 1024, SPARE = 64, BUFFERS_LEAST = 128, BUFFERS_MOST = 32768 };
enum { NONE = -1 };

struct conn {
    int first, last; /* buffers to be sent, in this order; the first is on its way */
    bool ended;
};

struct server {
    struct echo *e;
    struct loop_ring ring;
    struct conn *conn; /* by index of the registered file */
    int *next, *length; /* of each buffer */
    int closed, err;
    unsigned queued; /* sends since the ring was entered */
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

    io_uring_prep_recv_multishot(sqe, (int)conn, NULL, 0, 0);
    sqe->flags |= IOSQE_FIXED_FILE | IOSQE_BUFFER_SELECT;
    io_uring_sqe_set_data64(sqe, tag(RECV, conn));
}

static void send_first(struct server *s, unsigned conn)
{
    struct io_uring_sqe *sqe = loop_ring_sqe(&s->ring);
    int id = s->conn[conn].first;

    io_uring_prep_send(sqe, (int)conn, loop_ring_buffer(&s->ring, (unsigned)id),
                       (size_t)s->length[id], MSG_WAITALL | MSG_NOSIGNAL);
    sqe->flags |= IOSQE_FIXED_FILE;
    io_uring_sqe_set_data64(sqe, tag(SEND, conn));
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
    s->conn[cqe->res] = (struct conn){.first = NONE};
    receive_on(s, (unsigned)cqe->res);
    if (!(cqe->flags & IORING_CQE_F_MORE))
        accept_all(s);
}

static void received(struct server *s, unsigned conn, const struct io_uring_cqe *cqe)
{
    struct conn *c = &s->conn[conn];
    int id = (int)(cqe->flags >> IORING_CQE_BUFFER_SHIFT);

    if (cqe->res > 0) {
        s->length[id] = cqe->res;
        s->next[id] = NONE;
        if (c->first == NONE) {
            c->first = c->last = id;
            send_first(s, conn);
        } else {
            s->next[c->last] = id;
            c->last = id;
        }
    } else if (cqe->res != -ENOBUFS) {
        c->ended = true;
        if (c->first == NONE)
            hang_up(s, conn);
        return;
    }
    if (!(cqe->flags & IORING_CQE_F_MORE))
        receive_on(s, conn);
}

static void sent(struct server *s, unsigned conn)
{
    struct conn *c = &s->conn[conn];
    int id = c->first;

    /* What went wrong with it the receive will say too. */
    loop_ring_give(&s->ring, (unsigned)id);
    c->first = s->next[id];
    if (c->first != NONE)
        send_first(s, conn);
    else if (c->ended)
        hang_up(s, conn);
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
            received(s, conn, &c);
            break;
        case SEND:
            sent(s, conn);
            break;
        case CLOSE:
            s->closed++;
        }
    }
}

/* As many as there may be messages on their way, or one more each would only
 * widen what the caches have to hold. */
static unsigned buffers_for(int conns)
{
    unsigned n = BUFFERS_LEAST;

    while (n < (unsigned)conns && n < BUFFERS_MOST)
        n *= 2;
    return n;
}

static int begin(struct server *s)
{
    unsigned conns = (unsigned)s->e->conns + SPARE, buffers = buffers_for(s->e->conns);
    int err;

    s->conn = calloc(conns, sizeof(*s->conn));
    s->next = calloc(buffers, sizeof(*s->next));
    s->length = calloc(buffers, sizeof(*s->length));
    if (!s->conn || !s->next || !s->length)
        return -ENOMEM;
    err = loop_ring_provide(&s->ring, buffers, ECHO_BUFFER);
    return err ? err : io_uring_register_files_sparse(&s->ring.ring, conns);
}

int uring_serve(struct echo *e)
{
    struct server *s = &server;

    s->e = e;
    s->err = loop_ring_open(&s->ring, ENTRIES, 4 * buffers_for(e->conns));
    if (s->err)
        return s->err;
    s->err = begin(s);
    if (!s->err)
        accept_all(s);
    while (s->closed < e->conns && !s->err) {
        enter(s, 1);
        take(s);
    }
    loop_ring_close(&s->ring);
    free(s->conn);
    free(s->next);
    free(s->length);
    return s->err;
}
