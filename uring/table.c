/* SPDX-License-Identifier: BSD-3-Clause
 * table.c - the table of operations
 *
 * One more operation is a kind in op.h, a row here, and its public function in files.c,
 * names.c, net.c or wait.c; a plain call that is more than a system call stands in calls.c.
 * Why each is done the way it is stands with the figures in Documentation/io.md.
 */
#include "op.h"

#include "calls.h"
#include "uapi.h"

#include <poll.h>
#include <sys/syscall.h>

/* What a row says of the plain system call. */
#define SYSTEM(call, ...) .nr = SYS_##call, .args = { __VA_ARGS__ }
#define RING(op)          IORING_OP_##op, HOW_RING

const struct opdesc ops[OPS] = {
    [OP_OPENAT] = { "openat", RING(OPENAT), .call = call_openat, .look = look_openat },
    [OP_OPENAT2] = { "openat2", RING(OPENAT2), SYSTEM(openat2, A_FD, A_ADDR, A_OFF, A_LEN),
                     .look = look_lasts },
    [OP_CLOSE] = { "close", IORING_OP_CLOSE, HOW_CLOSE, .call = call_close },

    [OP_READ] = { "read", RING(READ), true, POLLIN, call_read, look_read },
    [OP_WRITE] = { "write", RING(WRITE), true, POLLOUT, call_write, look_write },
    [OP_PREAD] = { "pread", RING(READ), true, POLLIN, call_pread, look_read },
    [OP_PWRITE] = { "pwrite", RING(WRITE), true, POLLOUT, call_pwrite, look_write },
    [OP_READV] = { "readv", RING(READV), false, POLLIN, call_readv, look_readv },
    [OP_WRITEV] = { "writev", RING(WRITEV), false, POLLOUT, call_writev, look_writev },

    [OP_FSYNC] = { "fsync", RING(FSYNC), SYSTEM(fsync, A_FD) },
    [OP_FDATASYNC] = { "fdatasync", RING(FSYNC), SYSTEM(fdatasync, A_FD) },
    [OP_SYNC_FILE_RANGE] = { "sync_file_range", RING(SYNC_FILE_RANGE),
                             SYSTEM(sync_file_range, A_FD, A_OFF, A_LEN, A_FLAGS) },
    [OP_FALLOCATE] = { "fallocate", RING(FALLOCATE),
                       SYSTEM(fallocate, A_FD, A_LEN, A_OFF, A_ADDR) },
    [OP_FTRUNCATE] = { "ftruncate", RING(FTRUNCATE), SYSTEM(ftruncate, A_FD, A_OFF) },
    [OP_FADVISE] = { "fadvise", RING(FADVISE), SYSTEM(fadvise64, A_FD, A_OFF, A_LEN, A_FLAGS) },
    [OP_MADVISE] = { "madvise", RING(MADVISE), SYSTEM(madvise, A_ADDR, A_LEN, A_FLAGS) },

    [OP_STATX] = { "statx", .how = HOW_INLINE,
                   SYSTEM(statx, A_FD, A_ADDR, A_FLAGS, A_LEN, A_OFF) },
    [OP_RENAMEAT] = { "renameat", RING(RENAMEAT),
                      SYSTEM(renameat2, A_FD, A_ADDR, A_LEN, A_OFF, A_FLAGS) },
    [OP_UNLINKAT] = { "unlinkat", RING(UNLINKAT), SYSTEM(unlinkat, A_FD, A_ADDR, A_FLAGS) },
    [OP_MKDIRAT] = { "mkdirat", RING(MKDIRAT), SYSTEM(mkdirat, A_FD, A_ADDR, A_LEN) },
    [OP_LINKAT] = { "linkat", RING(LINKAT),
                    SYSTEM(linkat, A_FD, A_ADDR, A_LEN, A_OFF, A_FLAGS) },
    [OP_SYMLINKAT] = { "symlinkat", RING(SYMLINKAT), SYSTEM(symlinkat, A_ADDR, A_FD, A_OFF) },
    [OP_GETDENTS] = { "getdents", .how = HOW_POOL, SYSTEM(getdents64, A_FD, A_ADDR, A_LEN) },
};
