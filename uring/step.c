/* SPDX-License-Identifier: BSD-3-Clause
 * step.c - what a program says of an operation in a batch, as an operation
 */
#include "step.h"

#include "compiler.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/io_uring.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>

/* Where the argument of an operation stands in struct quoit_io. */
enum from { F_NONE, F_BUF, F_N, F_AT, F_FLAGS, F_MODE, F_BUF2, F_FD2, F_OWN, F_ONE, FROMS };

enum { FILE_OF_CHAIN = 1, USES_FLAGS = 2, BYTES = 4, WRITES = 8, SENDS = 16, VECTOR = 32,
       PLACED = 64 };

static const struct kind {
    uint8_t op, addr, len, off, is;
} kinds[] = {
    [QUOIT_IO_OPENAT] = { OP_OPENAT, F_BUF, F_MODE, F_NONE, USES_FLAGS },
    [QUOIT_IO_CLOSE] = { OP_CLOSE, F_NONE, F_NONE, F_NONE, FILE_OF_CHAIN },
    [QUOIT_IO_READ] = { OP_READ, F_BUF, F_N, F_OWN, FILE_OF_CHAIN | BYTES },
    [QUOIT_IO_WRITE] = { OP_WRITE, F_BUF, F_N, F_OWN, FILE_OF_CHAIN | BYTES | WRITES },
    [QUOIT_IO_PREAD] = { OP_PREAD, F_BUF, F_N, F_AT, FILE_OF_CHAIN | BYTES | PLACED },
    [QUOIT_IO_PWRITE] = { OP_PWRITE, F_BUF, F_N, F_AT, FILE_OF_CHAIN | BYTES | WRITES | PLACED },
    [QUOIT_IO_READV] = { OP_READV, F_BUF, F_N, F_AT, FILE_OF_CHAIN | USES_FLAGS | VECTOR },
    [QUOIT_IO_WRITEV] = { OP_WRITEV, F_BUF, F_N, F_AT,
                          FILE_OF_CHAIN | USES_FLAGS | VECTOR | WRITES },
    [QUOIT_IO_FSYNC] = { OP_FSYNC, F_NONE, F_NONE, F_NONE, FILE_OF_CHAIN },
    [QUOIT_IO_FDATASYNC] = { OP_FDATASYNC, F_NONE, F_NONE, F_NONE, FILE_OF_CHAIN },
    [QUOIT_IO_FALLOCATE] = { OP_FALLOCATE, F_N, F_MODE, F_AT, FILE_OF_CHAIN },
    [QUOIT_IO_FTRUNCATE] = { OP_FTRUNCATE, F_NONE, F_NONE, F_AT, FILE_OF_CHAIN },
    [QUOIT_IO_STATX] = { OP_STATX, F_BUF, F_MODE, F_BUF2, USES_FLAGS },
    [QUOIT_IO_UNLINKAT] = { OP_UNLINKAT, F_BUF, F_NONE, F_NONE, USES_FLAGS },
    [QUOIT_IO_MKDIRAT] = { OP_MKDIRAT, F_BUF, F_MODE, F_NONE, 0 },
    [QUOIT_IO_RENAMEAT] = { OP_RENAMEAT, F_BUF, F_FD2, F_BUF2, USES_FLAGS },
    [QUOIT_IO_ACCEPT] = { OP_ACCEPT, F_BUF, F_NONE, F_BUF2, USES_FLAGS },
    [QUOIT_IO_SEND] = { OP_SEND, F_BUF, F_N, F_NONE, USES_FLAGS | BYTES | SENDS },
    [QUOIT_IO_RECV] = { OP_RECV, F_BUF, F_N, F_NONE, USES_FLAGS | BYTES },
    [QUOIT_IO_SENDMSG] = { OP_SENDMSG, F_BUF, F_ONE, F_NONE, USES_FLAGS | SENDS },
    [QUOIT_IO_RECVMSG] = { OP_RECVMSG, F_BUF, F_ONE, F_NONE, USES_FLAGS },
    [QUOIT_IO_POLL] = { OP_POLL, F_NONE, F_NONE, F_NONE, USES_FLAGS },
};

/* The most that one call moves. */
static const uint64_t most = 0x7ffff000;

/* As programs were built with it. */
_Static_assert(sizeof(struct quoit_io) == 64, "struct quoit_io has another size");

/* ---- is it as it should be? ----------------------------------------------------------------- */

static bool comes_from(const struct kind *k, enum from f)
{
    return k->addr == f || k->len == f || k->off == f || (f == F_FLAGS && k->is & USES_FLAGS);
}

static bool is_right(const struct quoit_io *io)
{
    const struct kind *k;

    if (io->what == 0 || io->what >= array_len(kinds) || io->chain & ~QUOIT_IO_THEN)
        return false;
    k = &kinds[io->what];
    if (k->is & PLACED && io->at < 0)
        return false;
    if (k->is & VECTOR && (io->at < -1 || io->n > IOV_MAX))
        return false;
    return io->reserved == 0 && io->reserved2 == 0 && (comes_from(k, F_BUF) || io->buf == NULL) &&
           (comes_from(k, F_N) || io->n == 0) && (comes_from(k, F_AT) || io->at == 0) &&
           (comes_from(k, F_FLAGS) || io->flags == 0) && (comes_from(k, F_MODE) || io->mode == 0) &&
           (comes_from(k, F_BUF2) || io->buf2 == NULL) && (comes_from(k, F_FD2) || io->fd2 == 0);
}

static bool uses_own(const struct quoit_io *io)
{
    return io->fd == QUOIT_IO_OPENED && kinds[io->what].is & FILE_OF_CHAIN;
}

/* Its file is opened by the first, closed by the last, and by no other. */
static bool owns_file(const struct quoit_io *ios, int n)
{
    return n > 1 && ios[0].what == QUOIT_IO_OPENAT && ios[n - 1].what == QUOIT_IO_CLOSE &&
           uses_own(&ios[n - 1]);
}

int chain_check(const struct quoit_io *ios, int n)
{
    int used = 0, k = 0;

    do {
        if (k == n || !is_right(&ios[k]))
            return -EINVAL;
        used += ios[k].fd == QUOIT_IO_OPENED;
    } while (ios[k++].chain & QUOIT_IO_THEN);
    for (int i = 0; used > 0 && i < k; i++)
        if (!owns_file(ios, k) || (ios[i].fd == QUOIT_IO_OPENED && !uses_own(&ios[i])) ||
            (i < k - 1 && ios[i].what == QUOIT_IO_CLOSE && uses_own(&ios[i])))
            return -EINVAL;
    return k;
}

/* ---- there and back ------------------------------------------------------------------------- */

static enum own own_of(const struct quoit_io *io, bool own)
{
    if (!own || (io->fd != QUOIT_IO_OPENED && io->what != QUOIT_IO_OPENAT))
        return OWN_NOT;
    if (io->what == QUOIT_IO_OPENAT)
        return OWN_OPENS;
    return io->what == QUOIT_IO_CLOSE ? OWN_CLOSES : OWN_USES;
}

static uint32_t flags_of(const struct quoit_io *io, unsigned is)
{
    if (io->what == QUOIT_IO_FDATASYNC)
        return IORING_FSYNC_DATASYNC;
    if (io->what == QUOIT_IO_POLL)
        return io->flags & 0xffff;
    return io->flags | (is & WRITES ? op_write_flags() : 0) | (is & SENDS ? MSG_NOSIGNAL : 0);
}

/* A ring has nothing to give to what is not to wait. */
static bool never_waits(const struct quoit_io *io, unsigned is)
{
    if (is & VECTOR)
        return io->flags & RWF_NOWAIT;
    return io->what >= QUOIT_IO_SEND && io->what <= QUOIT_IO_RECVMSG &&
           io->flags & (MSG_DONTWAIT | MSG_ERRQUEUE);
}

void step_prepare(struct step *s, struct quoit_io *io, struct quoit_io_batch *batch, bool own)
{
    const struct kind *k = &kinds[io->what];
    const uint64_t from[FROMS] = {
        [F_BUF] = op_word(io->buf), [F_N] = k->is & BYTES && io->n > most ? most : io->n,
        [F_AT] = (uint64_t)io->at, [F_MODE] = io->mode, [F_BUF2] = op_word(io->buf2),
        [F_FD2] = (uint64_t)io->fd2, [F_OWN] = (uint64_t)-1, [F_ONE] = 1,
    };

    *s = (struct step){
        .op = { .desc = &ops[k->op], .fd = io->fd, .addr = from[k->addr],
                .len = (uint32_t)from[k->len], .off = from[k->off], .flags = flags_of(io, k->is),
                .batch = batch },
        .io = io, .own = (uint8_t)own_of(io, own), .nowait = never_waits(io, k->is), .opened = -1,
    };
}

void step_settle(const struct step *s)
{
    const struct op *op = &s->op;

    s->io->result = op->done == 0 ? op->res : (int64_t)op->done + (op->res > 0 ? op->res : 0);
}

/* ---- chains without a ring ------------------------------------------------------------------ */

long chain_step(struct step *s, int *opened, long (*call)(struct op *op))
{
    long res;

    if (s->own == OWN_USES || s->own == OWN_CLOSES)
        s->op.fd = *opened;
    res = call(&s->op);
    if (s->own == OWN_OPENS && res >= 0) {
        *opened = (int)res;
        return 0;
    }
    if (s->own == OWN_CLOSES)
        *opened = -1;
    return res;
}

/* A FIFO waits for its other end. */
static bool open_lasts(const struct op *op)
{
    struct stat st;
    int saved = errno;
    bool lasts = fstatat(op->fd, op_pointer(op->addr), &st, 0) == 0 && !S_ISREG(st.st_mode) &&
                 !S_ISDIR(st.st_mode);

    errno = saved;
    return lasts;
}

bool chain_lasts(const struct step *s)
{
    for (; s != NULL; s = s->then) {
        if (s->op.desc == &ops[OP_OPENAT] && open_lasts(&s->op))
            return true;
        if (s->own == OWN_NOT && posix_lasts(&s->op))
            return true;
    }
    return false;
}
