/* SPDX-License-Identifier: BSD-3-Clause
 * io.c - the public functions, thin: descriptors and bytes
 *
 * The others are in files.c and names.c; what each kind of operation is stands in
 * table.c.
 */
#include "atomic.h"
#include "compiler.h"
#include "sanitize.h"

#include "quoit_io.h"

#include "op.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <sys/uio.h>
#include <unistd.h>

#ifndef RWF_NOSIGNAL
#define RWF_NOSIGNAL 0x100
#endif

/* The most that read(2) moves in one call. */
static const size_t rw_max = 0x7ffff000;

int quoit_openat(int dirfd, const char *path, int flags, mode_t mode)
{
    return (int)op_run(&(struct op){ .desc = &ops[OP_OPENAT], .fd = dirfd, .addr = op_word(path),
                                     .len = (uint32_t)mode, .flags = (uint32_t)flags });
}

int quoit_openat2(int dirfd, const char *path, const struct open_how *how, size_t size)
{
    return (int)op_run(&(struct op){ .desc = &ops[OP_OPENAT2], .fd = dirfd, .addr = op_word(path),
                                     .len = (uint32_t)size, .off = op_word(how) });
}

int quoit_close(int fd)
{
    struct op op = { .desc = &ops[OP_CLOSE], .fd = fd };

    /* TSan would not see the ring do it, and take the next one that gets this number for a race. */
#ifdef SANITIZE_TSAN
    return (int)op_run_inline(&op);
#else
    return (int)op_run(&op);
#endif
}

/* The flag that keeps SIGPIPE away, where the kernel has it (Linux 6.18); asked once. */
uint32_t op_write_flags(void)
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

    return op_run(&(struct op){ .desc = &ops[kind], .fd = fd, .addr = op_word(buf),
                                .len = (uint32_t)(n < rw_max ? n : rw_max), .off = (uint64_t)at,
                                .flags = writes ? op_write_flags() : 0 });
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

/* ---- several buffers ------------------------------------------------------------------------ */

/* RWF_NOWAIT asks for what is there: no goroutine waits then. */
static ssize_t vector(int kind, int fd, const struct iovec *v, int n, off_t at, int flags)
{
    struct op op = { .desc = &ops[kind], .fd = fd, .addr = op_word(v), .len = (uint32_t)n,
                     .off = (uint64_t)at, .flags = (uint32_t)flags };

    if (n < 0 || n > IOV_MAX)
        return -EINVAL;
    if (kind == OP_WRITEV)
        op.flags |= op_write_flags();
    return flags & RWF_NOWAIT ? op_run_inline(&op) : op_run(&op);
}

ssize_t quoit_readv(int fd, const struct iovec *v, int n)
{
    return vector(OP_READV, fd, v, n, -1, 0);
}

ssize_t quoit_writev(int fd, const struct iovec *v, int n)
{
    return vector(OP_WRITEV, fd, v, n, -1, 0);
}

ssize_t quoit_preadv(int fd, const struct iovec *v, int n, off_t at)
{
    return at < 0 ? -EINVAL : vector(OP_READV, fd, v, n, at, 0);
}

ssize_t quoit_pwritev(int fd, const struct iovec *v, int n, off_t at)
{
    return at < 0 ? -EINVAL : vector(OP_WRITEV, fd, v, n, at, 0);
}

ssize_t quoit_preadv2(int fd, const struct iovec *v, int n, off_t at, int flags)
{
    return at < -1 ? -EINVAL : vector(OP_READV, fd, v, n, at, flags);
}

ssize_t quoit_pwritev2(int fd, const struct iovec *v, int n, off_t at, int flags)
{
    return at < -1 ? -EINVAL : vector(OP_WRITEV, fd, v, n, at, flags);
}
