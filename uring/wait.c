/* SPDX-License-Identifier: BSD-3-Clause
 * wait.c - the public functions for pipes, readiness, processes, futexes; and entries of the
 * program's own
 *
 * Several descriptors are waited for through an epoll of that moment, which is one descriptor:
 * so a ring and the watcher need to know of one only, and nothing is left to be cancelled.
 */
#include "os_linux.h"

#include "quoit_io.h"

#include "op.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/io_uring.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

/* The most that one call moves. */
static const size_t pipe_most = 0x7ffff000;

/* ---- readiness ------------------------------------------------------------------------------ */

/* The events, or an error. */
static int poll_one(int fd, short events)
{
    return (int)op_run(&(struct op){ .desc = &ops[OP_POLL], .fd = fd,
                                     .flags = (uint32_t)events & 0xffff });
}

/* What is there; errno is left alone. By itself, as those who call it wait in between: the thread
 * may be another one then, whose errno is another one. */
static noinline int poll_now(struct pollfd *fds, nfds_t n)
{
    int saved = errno, r;

    do
        r = poll(fds, n, 0);
    while (r < 0 && errno == EINTR);
    r = r < 0 ? -errno : r;
    errno = saved;
    return r;
}

/* One descriptor may stand there several times, with different wishes. */
static uint32_t all_wishes(const struct pollfd *fds, nfds_t n, int fd)
{
    uint32_t events = 0;

    for (nfds_t i = 0; i < n; i++)
        if (fds[i].fd == fd)
            events |= (uint16_t)fds[i].events;
    return events;
}

/* What cannot be in an epoll is a file, and poll has told of it; so it has of what is closed. */
static int watch_all(int ep, const struct pollfd *fds, nfds_t n, int timer)
{
    struct epoll_event event = { .events = EPOLLIN };

    if (timer >= 0 && epoll_ctl(ep, EPOLL_CTL_ADD, timer, &event) < 0)
        return -errno;
    for (nfds_t i = 0; i < n; i++) {
        event.events = (uint16_t)fds[i].events;
        if (fds[i].fd < 0 || epoll_ctl(ep, EPOLL_CTL_ADD, fds[i].fd, &event) == 0)
            continue;
        if (errno == EEXIST) {
            event.events = all_wishes(fds, n, fds[i].fd);
            (void)epoll_ctl(ep, EPOLL_CTL_MOD, fds[i].fd, &event);
        } else if (errno != EPERM && errno != EBADF) {
            return -errno;
        }
    }
    return 0;
}

static int timer_of(int timeout)
{
    struct itimerspec at = { .it_value = { timeout / 1000, timeout % 1000 * 1000000L } };
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);

    if (fd >= 0)
        (void)timerfd_settime(fd, 0, &at, NULL);
    return fd < 0 ? -errno : fd;
}

static int wait_for_any(int ep, struct pollfd *fds, nfds_t n, int timer)
{
    struct pollfd over = { .fd = timer, .events = POLLIN };
    int e = watch_all(ep, fds, n, timer);

    while (e == 0) {
        e = poll_now(fds, n);
        if (e != 0 || (timer >= 0 && poll_now(&over, 1) > 0))
            return e;
        e = poll_one(ep, POLLIN);
        e = e > 0 ? 0 : e;
    }
    return e;
}

static int poll_many(struct pollfd *fds, nfds_t n, int timeout)
{
    int timer = timeout >= 0 ? timer_of(timeout) : -1, ep, e;

    if (timeout >= 0 && timer < 0)
        return timer;
    ep = epoll_create1(EPOLL_CLOEXEC);
    e = ep < 0 ? -errno : wait_for_any(ep, fds, n, timer);
    if (ep >= 0)
        close(ep);
    if (timer >= 0)
        close(timer);
    return e;
}

int quoit_poll(struct pollfd *fds, nfds_t n, int timeout)
{
    int e = poll_now(fds, n), saved = errno_get();

    if (e != 0 || timeout == 0)
        return e;
    if (n != 1 || fds->fd < 0 || timeout > 0) {
        e = poll_many(fds, n, timeout);
        errno_put(saved);
        return e;
    }
    e = poll_one(fds->fd, fds->events);
    if (e < 0 && e != -EBADF)
        return e;
    fds->revents = e < 0 ? POLLNVAL : (short)e;
    return 1;
}

int quoit_epoll_ctl(int epfd, int op, int fd, struct epoll_event *event)
{
    return (int)op_run(&(struct op){ .desc = &ops[OP_EPOLL_CTL], .fd = epfd, .len = (uint32_t)op,
                                     .off = (uint64_t)fd, .addr = op_word(event) });
}

/* ---- pipes ---------------------------------------------------------------------------------- */

int quoit_pipe2(int ends[2], int flags)
{
    return (int)op_run(&(struct op){ .desc = &ops[OP_PIPE], .addr = op_word(ends),
                                     .flags = (uint32_t)flags });
}

/* Something to take on one side, and room on the other. */
static int both_ready(int in, int out)
{
    struct pollfd p[2] = { { in, POLLIN, 0 }, { out, POLLOUT, 0 } };
    int e = poll_now(p, 2);

    if (e >= 0 && p[0].revents == 0)
        e = poll_one(in, POLLIN);
    if (e >= 0 && p[1].revents == 0)
        e = poll_one(out, POLLOUT);
    return e;
}

/* The kind of operation, or what is wrong, before there is waiting. A worker that waits in a pipe
 * takes the place of one that would end that wait: so the waiting is done before. A socket may
 * have less room than it seems. */
static int splice_kind(int in, bool in_place, int out, bool out_place)
{
    struct stat from, to;
    int saved = errno, e;

    e = fstat(in, &from) < 0 || fstat(out, &to) < 0 ? -errno : 0;
    errno = saved;
    if (e < 0)
        return e;
    if ((in_place && S_ISFIFO(from.st_mode)) || (out_place && S_ISFIFO(to.st_mode)))
        return -ESPIPE;
    if (!S_ISFIFO(from.st_mode) && !S_ISFIFO(to.st_mode))
        return -EINVAL;
    return S_ISSOCK(from.st_mode) || S_ISSOCK(to.st_mode) ? OP_SPLICE_LASTS : OP_SPLICE;
}

ssize_t quoit_splice(int in, off_t *in_at, int out, off_t *out_at, size_t n, unsigned flags)
{
    struct op op = { .fd = out, .aux = in, .addr = in_at != NULL ? (uint64_t)*in_at : (uint64_t)-1,
                     .off = out_at != NULL ? (uint64_t)*out_at : (uint64_t)-1,
                     .len = (uint32_t)(n < pipe_most ? n : pipe_most),
                     .flags = flags | SPLICE_F_NONBLOCK };
    int kind = splice_kind(in, in_at != NULL, out, out_at != NULL);
    ssize_t r;

    if (kind < 0)
        return kind;
    if ((in_at != NULL && *in_at < 0) || (out_at != NULL && *out_at < 0))
        return -EINVAL;
    op.desc = &ops[kind];
    do {
        r = flags & SPLICE_F_NONBLOCK ? 0 : both_ready(in, out);
        if (r >= 0)
            r = op_run(&op);
    } while (r == -EAGAIN && !(flags & SPLICE_F_NONBLOCK));
    if (r > 0 && in_at != NULL)
        *in_at += r;
    if (r > 0 && out_at != NULL)
        *out_at += r;
    return r;
}

ssize_t quoit_tee(int in, int out, size_t n, unsigned flags)
{
    struct op op = { .desc = &ops[OP_TEE], .fd = out, .aux = in,
                     .len = (uint32_t)(n < pipe_most ? n : pipe_most),
                     .flags = flags | SPLICE_F_NONBLOCK };
    ssize_t r;

    do {
        r = flags & SPLICE_F_NONBLOCK ? 0 : both_ready(in, out);
        if (r >= 0)
            r = op_run(&op);
    } while (r == -EAGAIN && !(flags & SPLICE_F_NONBLOCK));
    return r;
}

/* ---- processes, futexes --------------------------------------------------------------------- */

int quoit_waitid(int type, unsigned int id, void *info, int options)
{
    struct op op = { .desc = &ops[OP_WAITID], .fd = (int)id, .len = (uint32_t)type,
                     .off = op_word(info), .aux = options };

    return (int)(options & WNOHANG ? op_run_inline(&op) : op_run(&op));
}

/* As an entry has it: size and who shares it. */
enum { WORD_32 = 2 };

int quoit_futex_wait(uint32_t *word, uint32_t seen, int flags)
{
    if (flags & ~FUTEX_PRIVATE_FLAG)
        return -EINVAL;
    return (int)op_run(&(struct op){ .desc = &ops[OP_FUTEX_WAIT], .fd = WORD_32 | flags,
                                     .addr = op_word(word), .off = seen,
                                     .addr3 = FUTEX_BITSET_MATCH_ANY });
}

int quoit_futex_wake(uint32_t *word, int n, int flags)
{
    if (n < 0 || flags & ~FUTEX_PRIVATE_FLAG)
        return -EINVAL;
    return (int)op_run(&(struct op){ .desc = &ops[OP_FUTEX_WAKE], .fd = FUTEX_WAKE | flags,
                                     .addr = op_word(word), .len = (uint32_t)n });
}

/* ---- anything else -------------------------------------------------------------------------- */

int quoit_uring_submit(void (*prep)(struct io_uring_sqe *sqe, void *arg), void *arg)
{
    struct io_uring_sqe sqe;

    memset(&sqe, 0, sizeof sqe);
    prep(&sqe, arg);
    /* Others stand before and behind it, and each is waited for by one completion of its own. */
    if (sqe.flags & ~(IOSQE_ASYNC | IOSQE_FIXED_FILE))
        return -EINVAL;
    return (int)op_run(&(struct op){ .desc = &ops[OP_ENTRY], .addr = op_word(&sqe) });
}
