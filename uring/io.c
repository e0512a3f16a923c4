/* SPDX-License-Identifier: BSD-3-Clause
 * io.c - the public functions, thin, and the table of operations
 *
 * One more operation is one line in the table, its plain call above it and its public
 * function below. Why each is done the way it is stands with the figures in
 * Documentation/io.md.
 */
#include "atomic.h"
#include "compiler.h"

#include "quoit_io.h"

#include "op.h"
#include "ring.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#ifndef RWF_NOSIGNAL
#define RWF_NOSIGNAL 0x100
#endif

/* The most that read(2) moves in one call. */
static const size_t rw_max = 0x7ffff000;

static void *pointer(uint64_t word)
{
    return (void *)(uintptr_t)word;
}

static uint64_t word(const void *p)
{
    return (uintptr_t)p;
}

static long result(long r)
{
    return r < 0 ? -errno : r;
}

/* ---- plain calls ---------------------------------------------------------------------------- */

static long call_openat(const struct op *op)
{
    return result(openat(op->fd, pointer(op->addr), (int)op->flags, (mode_t)op->len));
}

static long call_close(const struct op *op)
{
    long e = result(close(op->fd));

    /* Linux has let the descriptor go: a second close might hit somebody else's. */
    return e == -EINTR ? 0 : e;
}

static long call_read(const struct op *op)
{
    return result(read(op->fd, pointer(op->addr), op->len));
}

/* Where the kernel has no flag for it the signal is kept away from the program, unless it was
 * pending before. */
static long write_unsignalled(const struct op *op)
{
    static const struct timespec now = { 0, 0 };
    sigset_t pipe, old, pending;
    long r;

    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, &old);
    sigpending(&pending);
    r = result(write(op->fd, pointer(op->addr), op->len));
    if (r == -EPIPE && !sigismember(&pending, SIGPIPE))
        (void)sigtimedwait(&pipe, NULL, &now);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return r;
}

static long call_write(const struct op *op)
{
    struct iovec v = { pointer(op->addr), op->len };
    long r = -EOPNOTSUPP;

    if (op->flags != 0)
        r = result(pwritev2(op->fd, &v, 1, -1, (int)op->flags));
    return r == -EOPNOTSUPP ? write_unsignalled(op) : r;
}

static long call_pread(const struct op *op)
{
    return result(pread(op->fd, pointer(op->addr), op->len, (off_t)op->off));
}

static long call_pwrite(const struct op *op)
{
    return result(pwrite(op->fd, pointer(op->addr), op->len, (off_t)op->off));
}

static long call_statx(const struct op *op)
{
    return result(statx(op->fd, pointer(op->addr), (int)op->flags, op->len, pointer(op->off)));
}

static long call_fsync(const struct op *op)
{
    return result(fsync(op->fd));
}

/* ---- without blocking ----------------------------------------------------------------------- */

/* What says that the question cannot be asked here: an old kernel, a filter of system calls, a
 * device. */
static long asked(long r)
{
    return r == -ENOSYS || r == -EPERM || r == -EINVAL ? -EOPNOTSUPP : r;
}

/* Only names that are known already. A FIFO waits for its other end, a terminal for a line. */
static long look_openat(const struct op *op)
{
    struct open_how how = { .flags = op->flags | O_LARGEFILE, .resolve = RESOLVE_CACHED };
    struct stat st;

    if (fstatat(op->fd, pointer(op->addr), &st, 0) < 0)
        return -EAGAIN;
    if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
        return LOOK_LASTS;
    if (op->flags & (O_CREAT | O_TRUNC | __O_TMPFILE | O_PATH))
        return -EAGAIN;
    return asked(result(syscall(SYS_openat2, op->fd, pointer(op->addr), &how, sizeof how)));
}

/* The offset as preadv2 has it: -1 is the file's own position. */
static long look_read(const struct op *op)
{
    struct iovec v = { pointer(op->addr), op->len };

    return asked(result(preadv2(op->fd, &v, 1, (off_t)op->off, RWF_NOWAIT)));
}

static long look_write(const struct op *op)
{
    struct iovec v = { pointer(op->addr), op->len };

    return asked(result(pwritev2(op->fd, &v, 1, (off_t)op->off, RWF_NOWAIT | (int)op->flags)));
}

/* ---- the table ------------------------------------------------------------------------------ */

const struct opdesc ops[OPS] = {
    [OP_OPENAT] = { "openat", IORING_OP_OPENAT, HOW_RING, 0, call_openat, look_openat },
    [OP_CLOSE] = { "close", IORING_OP_CLOSE, HOW_CLOSE, 0, call_close, NULL },
    [OP_READ] = { "read", IORING_OP_READ, HOW_RING, POLLIN, call_read, look_read },
    [OP_WRITE] = { "write", IORING_OP_WRITE, HOW_RING, POLLOUT, call_write, look_write },
    [OP_PREAD] = { "pread", IORING_OP_READ, HOW_RING, POLLIN, call_pread, look_read },
    [OP_PWRITE] = { "pwrite", IORING_OP_WRITE, HOW_RING, POLLOUT, call_pwrite, look_write },
    [OP_STATX] = { "statx", IORING_OP_STATX, HOW_INLINE, 0, call_statx, NULL },
    [OP_FSYNC] = { "fsync", IORING_OP_FSYNC, HOW_RING, 0, call_fsync, NULL },
};

/* ---- public --------------------------------------------------------------------------------- */

int quoit_openat(int dirfd, const char *path, int flags, mode_t mode)
{
    return (int)op_run(&(struct op){ .desc = &ops[OP_OPENAT], .fd = dirfd, .addr = word(path),
                                     .len = (uint32_t)mode, .flags = (uint32_t)flags });
}

int quoit_close(int fd)
{
    return (int)op_run(&(struct op){ .desc = &ops[OP_CLOSE], .fd = fd });
}

/* The flag that keeps SIGPIPE away, where the kernel has it (Linux 6.18); asked once. */
static uint32_t write_flags(void)
{
    static int32_t known = -1; /* a  the same for all who ask */
    struct iovec nothing = { NULL, 0 };
    int32_t flags = load_relaxed(&known);
    int saved = errno, ends[2];

    if (likely(flags >= 0))
        return (uint32_t)flags;
    if (pipe2(ends, O_CLOEXEC) < 0) {
        errno = saved;
        return 0;
    }
    flags = pwritev2(ends[1], &nothing, 1, -1, RWF_NOSIGNAL) == 0 ? RWF_NOSIGNAL : 0;
    close(ends[0]);
    close(ends[1]);
    errno = saved;
    store_relaxed(&known, flags);
    return (uint32_t)flags;
}

static always_inline ssize_t transfer(int kind, int fd, const void *buf, size_t n, off_t at)
{
    bool writes = kind == OP_WRITE || kind == OP_PWRITE;

    return op_run(&(struct op){ .desc = &ops[kind], .fd = fd, .addr = word(buf),
                                .len = (uint32_t)(n < rw_max ? n : rw_max), .off = (uint64_t)at,
                                .flags = writes ? write_flags() : 0 });
}

ssize_t quoit_read(int fd, void *buf, size_t n)
{
    return transfer(OP_READ, fd, buf, n, -1);
}

ssize_t quoit_write(int fd, const void *buf, size_t n)
{
    return transfer(OP_WRITE, fd, buf, n, -1);
}

ssize_t quoit_pread(int fd, void *buf, size_t n, off_t at)
{
    return at < 0 ? -EINVAL : transfer(OP_PREAD, fd, buf, n, at);
}

ssize_t quoit_pwrite(int fd, const void *buf, size_t n, off_t at)
{
    return at < 0 ? -EINVAL : transfer(OP_PWRITE, fd, buf, n, at);
}

int quoit_statx(int dirfd, const char *path, int flags, unsigned mask, struct statx *out)
{
    return (int)op_run(&(struct op){ .desc = &ops[OP_STATX], .fd = dirfd, .addr = word(path),
                                     .len = mask, .off = word(out), .flags = (uint32_t)flags });
}

int quoit_fsync(int fd)
{
    return (int)op_run(&(struct op){ .desc = &ops[OP_FSYNC], .fd = fd });
}
