/* SPDX-License-Identifier: BSD-3-Clause
 * test-io-wait.c - pipes that feed each other, readiness, children, futexes, entries
 *
 * The environment says which way the calls go; what a program sees is the same.
 */
#include "quoit.h"
#include "quoit_io.h"

#include "fds.h"
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/io_uring.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { CROWD = 60, FLOW = 300000, PATIENCE_MS = 20000 };

static char dir[] = "/tmp/quoit-wait-XXXXXX";
static int dirfd_;

/* ---- splice, tee ---------------------------------------------------------------------------- */

struct flow {
    int in, out;
    ssize_t bytes;
    quoit_wg *done;
};

static int pour(void *arg)
{
    static char b[1000];
    struct flow *f = arg;
    ssize_t n;

    for (f->bytes = 0; f->bytes < FLOW; f->bytes += n)
        if ((n = quoit_write(f->out, b, sizeof b)) <= 0)
            break;
    quoit_close(f->out);
    quoit_wg_done(f->done);
    return 0;
}

static int pass_on(void *arg)
{
    struct flow *f = arg;
    ssize_t n;

    while ((n = quoit_splice(f->in, NULL, f->out, NULL, 65536, 0)) > 0)
        f->bytes += n;
    quoit_close(f->out);
    quoit_wg_done(f->done);
    return 0;
}

/* More who wait than a ring has workers, each for the one before it. */
static void a_chain_of_pipes(bool sockets)
{
    static struct flow f[CROWD + 1];
    quoit_wg done = QUOIT_WG_INIT;
    int p[2], last;
    char b[4096];
    ssize_t n, sum = 0;

    if (pipe(p) < 0)
        bail("pipe");
    quoit_wg_add(&done, CROWD + 1);
    f[CROWD] = (struct flow){ .out = p[1], .done = &done };
    last = p[0];
    for (int i = 0; i < CROWD; i++) {
        if ((sockets && i % 2 == 0 ? socketpair(AF_UNIX, SOCK_STREAM, 0, p) : pipe(p)) < 0)
            bail("pipe");
        f[i] = (struct flow){ .in = last, .out = p[1], .done = &done };
        last = p[0];
        quoit_go(pass_on, &f[i]);
    }
    quoit_go(pour, &f[CROWD]);
    while ((n = quoit_read(last, b, sizeof b)) > 0)
        sum += n;
    quoit_wg_wait(&done);
    is_int(sum, FLOW, "%d splices in a row, %s", CROWD, sockets ? "sockets among them" : "pipes");
    close(last);
    for (int i = 0; i < CROWD; i++)
        close(f[i].in);
}

static void files_are_spliced(void)
{
    char in[16] = "";
    off_t at = 2, bad = -1;
    int fd = openat(dirfd_, "file", O_RDWR | O_CREAT | O_TRUNC, 0600), p[2], q[2];

    if (fd < 0 || pipe(p) < 0 || pipe(q) < 0 || write(fd, "abcdefgh", 8) != 8)
        bail("a file and pipes");
    is_int(quoit_splice(fd, &at, p[1], NULL, 4, 0), 4, "splice out of a file");
    is_int(at, 6, "its place moves on");
    is_int(quoit_tee(p[0], q[1], 100, 0), 4, "tee leaves them");
    is_int(quoit_read(q[0], in, sizeof in), 4, "one copy");
    is_str(in, "cdef", "of the right bytes");
    at = 8;
    is_int(quoit_splice(p[0], NULL, fd, &at, 100, 0), 4, "splice into a file");
    is_int(at, 12, "its place moves on");
    is_int(pread(fd, in, 16, 0), 12, "the file has them");
    ok(memcmp(in, "abcdefghcdef", 12) == 0, "where they belong");
    at = 100;
    is_int(quoit_splice(fd, &at, p[1], NULL, 4, 0), 0, "the end of the file");
    is_int(quoit_splice(fd, &bad, p[1], NULL, 4, 0), -EINVAL, "no such place");
    is_int(quoit_splice(fd, NULL, fd, NULL, 4, 0), -EINVAL, "splice without a pipe");
    is_int(quoit_splice(p[0], &at, q[1], NULL, 4, 0), -ESPIPE, "a place in a pipe");
    is_int(quoit_splice(p[0], NULL, q[1], NULL, 4, SPLICE_F_NONBLOCK), -EAGAIN, "nothing there");
    is_int(quoit_tee(p[0], q[1], 4, SPLICE_F_NONBLOCK), -EAGAIN, "nothing there: tee");
    close(p[1]);
    is_int(quoit_tee(p[0], q[1], 4, 0), 0, "nobody writes: tee");
    is_int(quoit_splice(p[0], NULL, q[1], NULL, 4, 0), 0, "nobody writes: splice");
    is_int(quoit_splice(NO_FD, NULL, q[1], NULL, 4, 0), -EBADF, "splice from a closed one");
    close(p[0]);
    close(q[0]);
    close(q[1]);
    close(fd);
    is_int(quoit_pipe2(p, ~0), -EINVAL, "a pipe with all flags");
}

/* ---- readiness ------------------------------------------------------------------------------ */

static int write_later(void *arg)
{
    for (int i = 0; i < 20; i++)
        quoit_yield();
    return quoit_write((int)(intptr_t)arg, "x", 1) == 1 ? 0 : -1;
}

static void readiness_is_waited_for(void)
{
    int p[2], q[2], file = open(dir, O_RDONLY | O_DIRECTORY);
    struct pollfd f[4];
    char b;

    if (pipe(p) < 0 || pipe(q) < 0)
        bail("pipe");
    f[0] = (struct pollfd){ p[0], POLLIN, 0 };
    f[1] = (struct pollfd){ q[0], POLLIN, 0 };
    f[2] = (struct pollfd){ p[0], POLLPRI, 0 };
    f[3] = (struct pollfd){ -1, POLLIN, 0 };
    is_int(quoit_poll(f, 1, 0), 0, "poll: nothing now");
    is_int(quoit_poll(f, 4, 5), 0, "nothing for a while, of several");
    is_int(quoit_poll(f, 1, 5), 0, "nothing for a while, of one");
    is_int(quoit_poll(NULL, 0, 1), 0, "none at all");
    quoit_go(write_later, (void *)(intptr_t)p[1]);
    is_int(quoit_poll(f, 1, -1), 1, "one is waited for");
    is_int(f[0].revents, POLLIN, "and is ready");
    is_int(quoit_read(p[0], &b, 1), 1, "a byte is there");
    quoit_go(write_later, (void *)(intptr_t)q[1]);
    is_int(quoit_poll(f, 4, -1), 1, "several are waited for");
    ok(f[0].revents == 0 && f[1].revents == POLLIN && f[3].revents == 0, "the right one is ready");
    is_int(quoit_read(q[0], &b, 1), 1, "a byte is there");
    quoit_go(write_later, (void *)(intptr_t)q[1]);
    is_int(quoit_poll(f, 4, PATIENCE_MS), 1, "or for some time");
    f[3] = (struct pollfd){ p[1], POLLOUT, 0 };
    is_int(quoit_poll(f, 4, -1), 2, "all that are ready count");
    f[0] = (struct pollfd){ file, POLLPRI, 0 };
    is_int(quoit_poll(f, 2, 1), 1, "a file among them");
    close(file);
    is_int(quoit_poll(f, 1, -1), 1, "a closed one");
    is_int(f[0].revents, POLLNVAL, "is told of as poll does");
    close(p[1]);
    f[0] = (struct pollfd){ p[0], 0, 0 };
    is_int(quoit_poll(f, 1, -1), 1, "no writer any more");
    is_int(f[0].revents, POLLHUP, "is told of unasked");
    close(p[0]);
    close(q[0]);
    close(q[1]);
}

static void an_epoll_can_be_polled(void)
{
    struct epoll_event e = { .events = EPOLLIN };
    int ep = epoll_create1(EPOLL_CLOEXEC), p[2];
    struct pollfd f = { ep, POLLIN, 0 };

    if (ep < 0 || pipe(p) < 0)
        bail("epoll, pipe");
    is_int(quoit_epoll_ctl(ep, EPOLL_CTL_ADD, p[0], &e), 0, "epoll_ctl");
    is_int(quoit_epoll_ctl(ep, EPOLL_CTL_ADD, p[0], &e), -EEXIST, "epoll_ctl twice");
    quoit_go(write_later, (void *)(intptr_t)p[1]);
    is_int(quoit_poll(&f, 1, -1), 1, "and it is waited for");
    is_int(epoll_wait(ep, &e, 1, 0), 1, "with something in it");
    close(ep);
    close(p[0]);
    close(p[1]);
    is_int(quoit_epoll_ctl(NO_FD, EPOLL_CTL_DEL, 0, NULL), -EBADF, "epoll_ctl of a closed one");
}

/* ---- children ------------------------------------------------------------------------------- */

static void children_are_waited_for(void)
{
    char sh[] = "sh", c[] = "-c", what[] = "read x; exit 7", *const argv[] = { sh, c, what, NULL };
    int p[2], in = dup(0), e;
    siginfo_t si;
    pid_t pid;

    if (in < 0 || pipe2(p, O_CLOEXEC) < 0 || dup2(p[0], 0) < 0)
        bail("pipe");
    e = quoit_spawn_process(&pid, "sh", argv, NULL);
    dup2(in, 0);
    close(in);
    if (e < 0)
        bail("spawn: %d", e);
    memset(&si, 0, sizeof si);
    is_int(quoit_waitid(P_PID, (id_t)pid, &si, WEXITED | WNOHANG), 0, "waitid with WNOHANG");
    is_int(si.si_pid, 0, "it runs still");
    quoit_go(write_later, (void *)(intptr_t)p[1]);
    close(p[0]);
    for (int i = 0; i < 30; i++)
        quoit_yield();
    close(p[1]);
    is_int(quoit_waitid(P_PID, (id_t)pid, &si, WEXITED), 0, "waitid");
    ok(si.si_pid == pid && si.si_code == CLD_EXITED && si.si_status == 7, "it ended with 7");
    is_int(quoit_waitid(P_PID, (id_t)pid, &si, WEXITED), -ECHILD, "waitid once more");
    is_int(quoit_waitid(P_PID, (id_t)pid, &si, 0), -EINVAL, "waitid for nothing");
}

/* ---- futexes -------------------------------------------------------------------------------- */

static uint32_t word;

static int wait_for_word(void *arg)
{
    while (__atomic_load_n(&word, __ATOMIC_RELAXED) == 0)
        (void)quoit_futex_wait(&word, 0, FUTEX_PRIVATE_FLAG);
    quoit_wg_done(arg);
    return 0;
}

static void futexes_are_waited_for(void)
{
    quoit_wg done = QUOIT_WG_INIT;

    is_int(quoit_futex_wait(&word, 1, 0), -EAGAIN, "futex: another value");
    is_int(quoit_futex_wait(&word, 0, 5), -EINVAL, "futex with a flag");
    is_int(quoit_futex_wake(&word, 1, 0), 0, "futex: nobody waits");
    quoit_wg_add(&done, CROWD);
    for (int i = 0; i < CROWD; i++)
        quoit_go(wait_for_word, &done);
    for (int i = 0; i < 20; i++)
        quoit_yield();
    __atomic_store_n(&word, 1, __ATOMIC_RELAXED);
    ok(quoit_futex_wake(&word, INT32_MAX, FUTEX_PRIVATE_FLAG) >= 0, "futex: all are woken");
    quoit_wg_wait(&done);
    ok(true, "and came back");
    word = 0;
}

/* ---- entries -------------------------------------------------------------------------------- */

static void prep_nop(struct io_uring_sqe *sqe, void *arg)
{
    sqe->opcode = IORING_OP_NOP;
    sqe->flags = *(uint8_t *)arg;
}

static void prep_read(struct io_uring_sqe *sqe, void *arg)
{
    sqe->opcode = IORING_OP_READ;
    sqe->fd = *(int *)arg;
    sqe->addr = (uintptr_t)arg;
    sqe->len = 1;
    sqe->off = (uint64_t)-1;
}

static void entries_of_our_own(void)
{
    uint8_t none = 0, link = IOSQE_IO_LINK;
    struct quoit_stats st = { .size = sizeof st };
    int p[2], arg;

    quoit_stats(&st);
    if (st.ring_ops == 0 || quoit_self() == NULL) {
        is_int(quoit_uring_submit(prep_nop, &none), -EOPNOTSUPP, "an entry without a ring");
        return;
    }
    is_int(quoit_uring_submit(prep_nop, &none), 0, "an entry of our own");
    is_int(quoit_uring_submit(prep_nop, &link), -EINVAL, "an entry that is tied to others");
    if (pipe(p) < 0)
        bail("pipe");
    arg = p[0];
    quoit_go(write_later, (void *)(intptr_t)p[1]);
    is_int(quoit_uring_submit(prep_read, &arg), 1, "an entry that waits");
    arg = -1;
    is_int(quoit_uring_submit(prep_read, &arg), -EBADF, "an entry that fails");
    close(p[0]);
    close(p[1]);
}

/* ---- all of it ------------------------------------------------------------------------------ */

static void *alone(void *arg)
{
    files_are_spliced();
    children_are_waited_for();
    return arg;
}

static int body(void *arg)
{
    pthread_t t;

    alone(arg);
    a_chain_of_pipes(false);
    a_chain_of_pipes(true);
    readiness_is_waited_for();
    an_epoll_can_be_polled();
    futexes_are_waited_for();
    entries_of_our_own();
    if (pthread_create(&t, NULL, alone, NULL) != 0)
        bail("pthread_create");
    pthread_join(t, NULL);
    return 0;
}

int main(void)
{
    if (mkdtemp(dir) == NULL)
        bail("no temporary directory");
    dirfd_ = open(dir, O_RDONLY | O_DIRECTORY);
    is_int(quoit_main(body, NULL), 0, "quoit_main");
    unlinkat(dirfd_, "file", 0);
    rmdir(dir);
    return done_testing();
}
