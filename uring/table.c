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
#define RING(op)          .opcode = IORING_OP_##op, .how = HOW_RING
#define SPOT(call, ...)   .how = HOW_INLINE, SYSTEM(call, __VA_ARGS__)
/* An end that has a place of its own says so; the pointers to that stand in splice's record. */
#define SPLICE            .call = call_splice

const struct opdesc ops[OPS] = {
    [OP_OPENAT] = { "openat", RING(OPENAT), .call = call_openat, .look = look_openat },
    [OP_OPENAT2] = { "openat2", RING(OPENAT2), SYSTEM(openat2, A_FD, A_ADDR, A_OFF, A_LEN),
                     .look = look_lasts },
    [OP_CLOSE] = { "close", .opcode = IORING_OP_CLOSE, .how = HOW_CLOSE, .call = call_close },

    [OP_READ] = { "read", RING(READ), .whole = true, .events = POLLIN,
                  .call = call_read, .look = look_read },
    [OP_WRITE] = { "write", RING(WRITE), .whole = true, .events = POLLOUT,
                   .call = call_write, .look = look_write },
    [OP_PREAD] = { "pread", RING(READ), .whole = true, .events = POLLIN,
                   .call = call_pread, .look = look_read },
    [OP_PWRITE] = { "pwrite", RING(WRITE), .whole = true, .events = POLLOUT,
                    .call = call_pwrite, .look = look_write },
    [OP_READV] = { "readv", RING(READV), .events = POLLIN, .call = call_readv, .look = look_readv },
    [OP_WRITEV] = { "writev", RING(WRITEV), .events = POLLOUT,
                    .call = call_writev, .look = look_writev },

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

    [OP_GETXATTR] = { "getxattr", SPOT(getxattr, A_ADDR3, A_ADDR, A_OFF, A_LEN) },
    [OP_FGETXATTR] = { "fgetxattr", SPOT(fgetxattr, A_FD, A_ADDR, A_OFF, A_LEN) },
    [OP_LISTXATTR] = { "listxattr", SPOT(listxattr, A_ADDR3, A_ADDR, A_LEN) },
    [OP_FLISTXATTR] = { "flistxattr", SPOT(flistxattr, A_FD, A_ADDR, A_LEN) },
    [OP_SETXATTR] = { "setxattr", RING(SETXATTR),
                      SYSTEM(setxattr, A_ADDR3, A_ADDR, A_OFF, A_LEN, A_FLAGS) },
    [OP_FSETXATTR] = { "fsetxattr", RING(FSETXATTR),
                       SYSTEM(fsetxattr, A_FD, A_ADDR, A_OFF, A_LEN, A_FLAGS) },
    [OP_REMOVEXATTR] = { "removexattr", .how = HOW_POOL, SYSTEM(removexattr, A_ADDR3, A_ADDR) },
    [OP_FREMOVEXATTR] = { "fremovexattr", .how = HOW_POOL, SYSTEM(fremovexattr, A_FD, A_ADDR) },

    [OP_SOCKET] = { "socket", SPOT(socket, A_FD, A_OFF, A_LEN) },
    [OP_BIND] = { "bind", SPOT(bind, A_FD, A_ADDR, A_OFF) },
    [OP_LISTEN] = { "listen", SPOT(listen, A_FD, A_LEN) },
    [OP_SHUTDOWN] = { "shutdown", SPOT(shutdown, A_FD, A_LEN) },
    [OP_CONNECT] = { "connect", RING(CONNECT), SYSTEM(connect, A_FD, A_ADDR, A_OFF),
                     .look = look_connect },
    [OP_ACCEPT] = { "accept", RING(ACCEPT), .events = POLLIN, .look = look_accept,
                    SYSTEM(accept4, A_FD, A_ADDR, A_OFF, A_FLAGS) },
    [OP_SEND] = { "send", RING(SEND), .events = POLLOUT, .look = look_message,
                  SYSTEM(sendto, A_FD, A_ADDR, A_LEN, A_FLAGS) },
    [OP_RECV] = { "recv", RING(RECV), .events = POLLIN, .look = look_message,
                  SYSTEM(recvfrom, A_FD, A_ADDR, A_LEN, A_FLAGS) },
    [OP_SENDMSG] = { "sendmsg", RING(SENDMSG), .events = POLLOUT, .look = look_message,
                     SYSTEM(sendmsg, A_FD, A_ADDR, A_FLAGS) },
    [OP_RECVMSG] = { "recvmsg", RING(RECVMSG), .events = POLLIN, .look = look_message,
                     SYSTEM(recvmsg, A_FD, A_ADDR, A_FLAGS) },

    [OP_PIPE] = { "pipe", SPOT(pipe2, A_ADDR, A_FLAGS) },
    [OP_SPLICE] = { "splice", RING(SPLICE), SPLICE },
    [OP_SPLICE_LASTS] = { "splice", .how = HOW_POOL, .look = look_lasts, SPLICE },
    [OP_TEE] = { "tee", SPOT(tee, A_AUX, A_FD, A_LEN, A_FLAGS) },

    [OP_POLL] = { "poll", RING(POLL_ADD), .events = EVENTS_ASKED,
                  .call = call_poll, .look = look_poll },
    [OP_EPOLL_CTL] = { "epoll_ctl", SPOT(epoll_ctl, A_FD, A_LEN, A_OFF, A_ADDR) },
    [OP_WAITID] = { "waitid", RING(WAITID), SYSTEM(waitid, A_LEN, A_FD, A_OFF, A_AUX),
                    .look = look_lasts },
    [OP_FUTEX_WAIT] = { "futex", RING(FUTEX_WAIT), .call = call_futex_wait, .look = look_lasts },
    [OP_FUTEX_WAKE] = { "futex", SPOT(futex, A_ADDR, A_FD, A_LEN) },
    [OP_ENTRY] = { "uring", .how = HOW_ENTRY, .call = call_entry },
};
