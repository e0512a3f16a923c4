/* SPDX-License-Identifier: BSD-3-Clause
 * load.c - what the echo servers have to bear
 *
 * One thread on a cpu that the server does not have. Each connection has one
 * request on its way at any time; the next follows when the whole reply is there
 * and is, byte by byte, what was sent. It runs on a ring as the best servers do,
 * so that it is seldom slower than they are; and it hands requests in while it
 * still goes through replies, so that both cpus work at the same time.
 *
 * What is counted begins after a tenth more of requests, at least one for each
 * connection, and ends before the last ones. The server's processor time is read
 * from its clock at these two moments.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "echo.h"
#include "loopring.h"
#include "measure.h"

#include "atomic.h"

enum { RECV, SEND };
enum { WORDS = ECHO_MESSAGE / sizeof(uint64_t), FLUSH = 32, TOGETHER = 128 };
enum { ENTRIES = 1024, BUFFERS_LEAST = 64, BUFFERS_MOST = 32768 };

struct peer {
    uint64_t message[WORDS], began, sent; /* ns; how many */
    int fd;
    unsigned got; /* bytes of the reply */
};

static struct {
    struct echo *e;
    struct outcome *out;
    struct loop_ring ring;
    struct peer *peer;
    int open;
    unsigned queued; /* since the ring was entered */
    uint64_t replies, warm, wanted;
    double *late; /* us, of each counted request */
    clockid_t server;
    uint64_t from, cpu, calls;
} l;

/* The server would wait for ever. */
static void __attribute__((noreturn, format(printf, 1, 2))) give_up(const char *format, ...)
{
    va_list ap;

    va_start(ap, format);
    vsnprintf(l.out->error, sizeof(l.out->error), format, ap);
    va_end(ap);
    kill(getppid(), SIGKILL);
    _exit(1);
}

/* ---- connections */

static void new_message(struct peer *p)
{
    uint64_t seed = ((uint64_t)(p - l.peer) << 32) + p->sent++;

    for (unsigned i = 0; i < WORDS; i++)
        p->message[i] = (seed * WORDS + i + 1) * 0x9e3779b97f4a7c15u;
    p->got = 0;
}

static int connected(void)
{
    struct sockaddr_in to = {.sin_family = AF_INET};
    int on = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    to.sin_port = htons((uint16_t)l.e->port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (fd < 0 || setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) < 0 ||
        connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0)
        give_up("a connection to the server: %s", strerror(errno));
    return fd;
}

/* When the last of them is answered the server has taken all. */
static void greet(struct peer *p)
{
    char reply[ECHO_MESSAGE];

    new_message(p);
    if (send(p->fd, p->message, ECHO_MESSAGE, MSG_NOSIGNAL) != ECHO_MESSAGE ||
        recv(p->fd, reply, ECHO_MESSAGE, MSG_WAITALL) != ECHO_MESSAGE ||
        memcmp(reply, p->message, ECHO_MESSAGE) != 0)
        give_up("the first message did not come back: %s", strerror(errno));
}

/* Not more at a time than find room in the queue of the listening socket. */
static void connect_all(void)
{
    for (int i = 0; i < l.e->conns; i++) {
        l.peer[i].fd = connected();
        if (i % TOGETHER == TOGETHER - 1 || i == l.e->conns - 1)
            greet(&l.peer[i]);
    }
    l.open = l.e->conns;
}

/* ---- requests */

static void enter(unsigned wait)
{
    int err = loop_ring_enter(&l.ring, wait);

    if (err)
        give_up("io_uring_enter of the load: %s", strerror(-err));
    l.queued = 0;
}

static void listen_to(struct peer *p)
{
    struct io_uring_sqe *sqe = loop_ring_sqe(&l.ring);

    io_uring_prep_recv_multishot(sqe, p->fd, NULL, 0, 0);
    sqe->flags |= IOSQE_BUFFER_SELECT;
    io_uring_sqe_set_data64(sqe, (uint64_t)(p - l.peer) << 1 | RECV);
}

/* It is the reply that is waited for; a message that cannot be sent is told all
 * the same. */
static void request(struct peer *p, uint64_t now)
{
    struct io_uring_sqe *sqe = loop_ring_sqe(&l.ring);

    new_message(p);
    p->began = now;
    io_uring_prep_send(sqe, p->fd, p->message, ECHO_MESSAGE, MSG_WAITALL | MSG_NOSIGNAL);
    sqe->flags |= IOSQE_CQE_SKIP_SUCCESS;
    io_uring_sqe_set_data64(sqe, (uint64_t)(p - l.peer) << 1 | SEND);
    if (++l.queued == FLUSH)
        enter(0);
}

/* ---- what is counted */

static uint64_t server_cpu(void)
{
    struct timespec t;

    clock_gettime(l.server, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* The server's count now, or at once when it is asked. */
static uint64_t ask_calls(void)
{
    if (l.e->asks && write(l.e->ask[1], "", 1) != 1)
        give_up("asking the server: %s", strerror(errno));
    return load_relaxed(&l.e->shared->calls);
}

static void start_counting(uint64_t now)
{
    l.cpu = server_cpu();
    l.calls = ask_calls();
    l.from = now;
}

static void stop_counting(uint64_t now)
{
    double n = (double)l.wanted;

    l.out->value[ECHO_CPU] = (double)(server_cpu() - l.cpu) / 1000 / n;
    l.calls = ask_calls() - l.calls;
    l.out->elapsed_ns = now - l.from;
    l.out->value[ECHO_RATE] = n * 1e9 / (double)(now - l.from);
}

static void count(struct peer *p, uint64_t now)
{
    uint64_t n = l.replies++;

    if (n == l.warm)
        start_counting(now);
    if (n >= l.warm && n < l.warm + l.wanted)
        l.late[n - l.warm] = (double)(now - p->began) / 1000;
    if (n == l.warm + l.wanted)
        stop_counting(now);
    if (n < l.warm + l.wanted)
        request(p, now);
    else
        shutdown(p->fd, SHUT_WR);
}

static void replied(struct peer *p, const char *data, int n)
{
    if (n > (int)(ECHO_MESSAGE - p->got) ||
        memcmp(data, (char *)p->message + p->got, (size_t)n) != 0)
        give_up("connection %d got back something else than it had sent", (int)(p - l.peer));
    p->got += (unsigned)n;
    if (p->got == ECHO_MESSAGE)
        count(p, now_ns());
}

static void received(struct peer *p, const struct io_uring_cqe *cqe)
{
    unsigned id = cqe->flags >> IORING_CQE_BUFFER_SHIFT;

    if (cqe->res > 0) {
        replied(p, loop_ring_buffer(&l.ring, id), cqe->res);
        loop_ring_give(&l.ring, id);
    } else if (cqe->res == 0) {
        if (l.replies <= l.warm + l.wanted)
            give_up("the server closed connection %d", (int)(p - l.peer));
        close(p->fd);
        l.open--;
        return;
    } else if (cqe->res != -ENOBUFS) {
        give_up("connection %d: %s", (int)(p - l.peer), strerror(-cqe->res));
    }
    if (!(cqe->flags & IORING_CQE_F_MORE))
        listen_to(p);
}

static void take_replies(void)
{
    struct io_uring_cqe *cqe;

    /* One by one: the ring is entered on the way. */
    while (io_uring_peek_cqe(&l.ring.ring, &cqe) == 0) {
        struct io_uring_cqe c = *cqe;

        io_uring_cqe_seen(&l.ring.ring, cqe);
        if ((c.user_data & 1) == SEND)
            give_up("a send on connection %d gave %d", (int)(c.user_data >> 1), c.res);
        received(&l.peer[c.user_data >> 1], &c);
    }
}

/* ---- the process */

static void make_ready(void)
{
    unsigned buffers = BUFFERS_LEAST;
    int err;

    while (buffers < (unsigned)l.e->conns && buffers < BUFFERS_MOST)
        buffers *= 2;
    l.wanted = l.e->job->iterations;
    l.warm = l.wanted / 10 > (uint64_t)l.e->conns ? l.wanted / 10 : (uint64_t)l.e->conns;
    l.peer = calloc((size_t)l.e->conns, sizeof(*l.peer));
    l.late = calloc(l.wanted, sizeof(*l.late));
    if (!l.peer || !l.late)
        give_up("no memory for the load");
    err = loop_ring_open(&l.ring, ENTRIES, 4 * buffers);
    if (!err)
        err = loop_ring_provide(&l.ring, buffers, ECHO_MESSAGE);
    if (err)
        give_up("a ring for the load: %s", strerror(-err));
    if (clock_getcpuclockid(getppid(), &l.server))
        give_up("the server's processor time cannot be read");
}

static void report(void)
{
    if (l.e->asks) {
        while (l.e->shared->answered < 2)
            usleep(100);
        l.calls = l.e->shared->told[1] - l.e->shared->told[0];
    }
    sort_doubles(l.late, l.wanted);
    l.out->count = l.wanted;
    l.out->value[ECHO_CALLS] = (double)l.calls / (double)l.wanted;
    l.out->value[ECHO_P50] = percentile_sorted(l.late, l.wanted, 50);
    l.out->value[ECHO_P99] = percentile_sorted(l.late, l.wanted, 99);
}

void load_run(struct echo *e)
{
    uint64_t now;

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    l.e = e;
    l.out = e->job->out;
    machine_take_cpu(e->job->procs);
    make_ready();
    connect_all();
    now = now_ns();
    for (int i = 0; i < e->conns; i++) {
        listen_to(&l.peer[i]);
        request(&l.peer[i], now);
    }
    while (l.open > 0) {
        enter(1);
        take_replies();
    }
    report();
    _exit(0);
}
