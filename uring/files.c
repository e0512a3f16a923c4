/* SPDX-License-Identifier: BSD-3-Clause
 * files.c - the public functions for what an open file is, thin
 */
#include "quoit_io.h"

#include "op.h"

#include <errno.h>
#include <linux/io_uring.h>

/* An entry of a ring has 32 bits for a length. */
static const uint64_t piece = 1u << 30;

int quoit_fsync(int fd)
{
    return (int)op_run(&(struct op){ .desc = &ops[OP_FSYNC], .fd = fd });
}

int quoit_fdatasync(int fd)
{
    return (int)op_run(&(struct op){ .desc = &ops[OP_FDATASYNC], .fd = fd,
                                     .flags = IORING_FSYNC_DATASYNC });
}

/* The same over a range, piece by piece; where each begins stands in op's addr or off. A range
 * without a length goes to the end. */
static int ranged(struct op *op, uint64_t *at, uint64_t n)
{
    int64_t e;

    do {
        op->len = (uint32_t)(n < piece ? n : piece);
        e = op_run(op);
        *at += op->len;
        n -= op->len;
    } while (e >= 0 && n > 0);
    return (int)e;
}

int quoit_sync_file_range(int fd, off_t at, off_t n, unsigned flags)
{
    struct op op = { .desc = &ops[OP_SYNC_FILE_RANGE], .fd = fd, .off = (uint64_t)at,
                     .flags = flags };

    return at < 0 || n < 0 ? -EINVAL : ranged(&op, &op.off, (uint64_t)n);
}

int quoit_fadvise(int fd, off_t at, off_t n, int advice)
{
    struct op op = { .desc = &ops[OP_FADVISE], .fd = fd, .off = (uint64_t)at,
                     .flags = (uint32_t)advice };

    return n < 0 ? -EINVAL : ranged(&op, &op.off, (uint64_t)n);
}

int quoit_madvise(void *p, size_t n, int advice)
{
    struct op op = { .desc = &ops[OP_MADVISE], .fd = -1, .addr = op_word(p),
                     .flags = (uint32_t)advice };

    return ranged(&op, &op.addr, n);
}

int quoit_fallocate(int fd, int mode, off_t at, off_t n)
{
    return (int)op_run(&(struct op){ .desc = &ops[OP_FALLOCATE], .fd = fd, .len = (uint32_t)mode,
                                     .off = (uint64_t)at, .addr = (uint64_t)n });
}

int quoit_ftruncate(int fd, off_t n)
{
    return (int)op_run(&(struct op){ .desc = &ops[OP_FTRUNCATE], .fd = fd, .off = (uint64_t)n });
}

ssize_t quoit_getdents(int fd, void *buf, size_t n)
{
    return op_run(&(struct op){ .desc = &ops[OP_GETDENTS], .fd = fd, .addr = op_word(buf),
                                .len = (uint32_t)(n < piece ? n : piece) });
}
