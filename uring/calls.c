/* SPDX-License-Identifier: BSD-3-Clause
 * calls.c - plain calls that are more than a system call, and calls that do not block
 *
 * Most rows of the table need none of the first: the number of the system call and the
 * order of its arguments say it all. The C library's function stands here where a
 * sanitizer has to see what it writes to, or where it can be cancelled at the end.
 */
#include "calls.h"

#include "compiler.h"

#include "op.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/openat2.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#ifndef RWF_NOSIGNAL
#define RWF_NOSIGNAL 0x100
#endif

static long result(long r)
{
    return r < 0 ? -errno : r;
}

/* ---- plain calls ---------------------------------------------------------------------------- */

long call_openat(const struct op *op)
{
    return result(openat(op->fd, op_pointer(op->addr), (int)op->flags, (mode_t)op->len));
}

long call_close(const struct op *op)
{
    long e = result(close(op->fd));

    /* Linux has let the descriptor go: a second close might hit somebody else's. */
    return e == -EINTR ? 0 : e;
}

long call_read(const struct op *op)
{
    return result(read(op->fd, op_pointer(op->addr), op->len));
}

/* Where the kernel has no flag for it the signal is kept away from the program, unless it was
 * pending before. */
static long write_unsignalled(const struct op *op, const struct iovec *v, int n)
{
    static const struct timespec now = { 0, 0 };
    sigset_t pipe, old, pending;
    long r;

    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, &old);
    sigpending(&pending);
    r = result(pwritev2(op->fd, v, n, (off_t)op->off, (int)op->flags & ~RWF_NOSIGNAL));
    if (r == -EPIPE && !sigismember(&pending, SIGPIPE))
        (void)sigtimedwait(&pipe, NULL, &now);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return r;
}

/* The offset as pwritev2 has it: -1 is the file's own position. */
static long write_quietly(const struct op *op, const struct iovec *v, int n)
{
    long r = -EOPNOTSUPP;

    if (op->flags & RWF_NOSIGNAL)
        r = result(pwritev2(op->fd, v, n, (off_t)op->off, (int)op->flags));
    return r == -EOPNOTSUPP ? write_unsignalled(op, v, n) : r;
}

long call_write(const struct op *op)
{
    struct iovec v = { op_pointer(op->addr), op->len };

    return write_quietly(op, &v, 1);
}

long call_pread(const struct op *op)
{
    return result(pread(op->fd, op_pointer(op->addr), op->len, (off_t)op->off));
}

long call_pwrite(const struct op *op)
{
    return result(pwrite(op->fd, op_pointer(op->addr), op->len, (off_t)op->off));
}

long call_readv(const struct op *op)
{
    return result(preadv2(op->fd, op_pointer(op->addr), (int)op->len, (off_t)op->off,
                          (int)op->flags));
}

long call_writev(const struct op *op)
{
    return write_quietly(op, op_pointer(op->addr), (int)op->len);
}

static long poll_once(const struct op *op, int timeout)
{
    struct pollfd p = { .fd = op->fd, .events = op_events(op) };
    long n = result(poll(&p, 1, timeout));

    if (n <= 0)
        return n;
    return p.revents & POLLNVAL ? -EBADF : p.revents;
}

long call_poll(const struct op *op)
{
    return poll_once(op, -1);
}

/* An entry says it otherwise than futex(2). */
long call_futex_wait(const struct op *op)
{
    int how = FUTEX_WAIT | (op->fd & FUTEX_PRIVATE_FLAG);

    return result(syscall(SYS_futex, op_pointer(op->addr), how, (uint32_t)op->off, NULL, NULL, 0));
}

/* An entry has places, -1 where there is none, and not pointers to them. */
long call_splice(const struct op *op)
{
    off64_t in = (off64_t)op->addr, out = (off64_t)op->off;

    return result(splice(op->aux, in < 0 ? NULL : &in, op->fd, out < 0 ? NULL : &out, op->len,
                         op->flags));
}

/* There is no plain call for it. */
long call_entry(const struct op *op unused_arg)
{
    return -EOPNOTSUPP;
}

/* ---- without blocking ----------------------------------------------------------------------- */

/* What says that the question cannot be asked here: an old kernel, a filter of system calls, a
 * device. */
static long asked(long r)
{
    return r == -ENOSYS || r == -EPERM || r == -EINVAL ? -EOPNOTSUPP : r;
}

/* Only names that are known already. A FIFO waits for its other end, a terminal for a line. */
long look_openat(const struct op *op)
{
    struct open_how how = { .flags = op->flags | O_LARGEFILE, .resolve = RESOLVE_CACHED };
    struct stat st;

    if (fstatat(op->fd, op_pointer(op->addr), &st, 0) < 0)
        return -EAGAIN;
    if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
        return LOOK_LASTS;
    if (op->flags & (O_CREAT | O_TRUNC | __O_TMPFILE | O_PATH))
        return -EAGAIN;
    return asked(result(syscall(SYS_openat2, op->fd, op_pointer(op->addr), &how, sizeof how)));
}

/* The offset as preadv2 has it: -1 is the file's own position. */
long look_read(const struct op *op)
{
    struct iovec v = { op_pointer(op->addr), op->len };

    return asked(result(preadv2(op->fd, &v, 1, (off_t)op->off, RWF_NOWAIT)));
}

long look_write(const struct op *op)
{
    struct iovec v = { op_pointer(op->addr), op->len };

    return asked(result(pwritev2(op->fd, &v, 1, (off_t)op->off, RWF_NOWAIT | (int)op->flags)));
}

/* Of a file a part may be in memory. That part is not kept: a thread then reads all of it, which
 * at a place that was named does no harm. Elsewhere, and for writing, a file is not tried. */
static bool tries_no_vector(const struct op *op, bool writes)
{
    struct stat st;

    return (writes || op->off == (uint64_t)-1) &&
           (fstat(op->fd, &st) < 0 || S_ISREG(st.st_mode) || S_ISBLK(st.st_mode));
}

static size_t bytes_of(const struct iovec *v, uint32_t n)
{
    size_t sum = 0;

    for (uint32_t i = 0; i < n; i++)
        sum += v[i].iov_len;
    return sum;
}

long look_readv(const struct op *op)
{
    const struct iovec *v = op_pointer(op->addr);
    long r;

    if (tries_no_vector(op, false))
        return -EAGAIN;
    r = asked(result(preadv2(op->fd, v, (int)op->len, (off_t)op->off,
                             RWF_NOWAIT | (int)op->flags)));
    if (r > 0 && op->off != (uint64_t)-1 && (size_t)r < bytes_of(v, op->len))
        return -EAGAIN;
    return r;
}

long look_writev(const struct op *op)
{
    if (tries_no_vector(op, true))
        return -EAGAIN;
    return asked(result(pwritev2(op->fd, op_pointer(op->addr), (int)op->len, (off_t)op->off,
                                 RWF_NOWAIT | (int)op->flags)));
}

/* What is sent and received: each has such flags. */
long look_message(const struct op *op)
{
    struct op now = *op;

    now.flags |= MSG_DONTWAIT;
    return op_call(&now);
}

/* The flag is everybody's who has the socket open, for the length of a call that does not
 * block. -EINPROGRESS is for who called: it waits until the socket can be written to. A socket
 * of the file system says -EAGAIN, and nothing tells when there is a place. */
long look_connect(const struct op *op)
{
    int flags = fcntl(op->fd, F_GETFL);
    long r;

    if (flags < 0)
        return -errno;
    if (!(flags & O_NONBLOCK) && fcntl(op->fd, F_SETFL, flags | O_NONBLOCK) < 0)
        return LOOK_LASTS;
    r = op_call(op);
    if (!(flags & O_NONBLOCK))
        (void)fcntl(op->fd, F_SETFL, flags);
    return r == -EAGAIN ? LOOK_LASTS : r;
}

/* Another process may take the connection that this one has seen, so a socket that would then
 * block is left to a thread. */
long look_accept(const struct op *op)
{
    struct op ready = { .desc = op->desc, .fd = op->fd };
    int flags = fcntl(op->fd, F_GETFL);
    long r;

    if (flags < 0)
        return -errno;
    if (flags & O_NONBLOCK)
        return op_call(op);
    r = poll_once(&ready, 0);
    return r < 0 ? r : r == 0 ? -EAGAIN : -EOPNOTSUPP;
}

long look_poll(const struct op *op)
{
    long r = poll_once(op, 0);

    return r == 0 ? -EAGAIN : r;
}

/* Nothing is known of when it ends. */
long look_lasts(const struct op *op unused_arg)
{
    return LOOK_LASTS;
}
