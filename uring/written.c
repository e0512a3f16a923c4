/* SPDX-License-Identifier: BSD-3-Clause
 * written.c - what a ring wrote into the program's memory, told to Valgrind
 *
 * Valgrind knows what each system call writes, but sees none where a ring does the work: what was
 * read would count as never written, and each look at it as a mistake of the program's.
 */
#include "sanitize.h"

#include "op.h"

#include <signal.h>
#include <sys/socket.h>
#include <sys/uio.h>

static void vector_written(const struct iovec *v, size_t n, size_t bytes)
{
    for (size_t i = 0; i < n && bytes > 0; i++) {
        size_t here = v[i].iov_len < bytes ? v[i].iov_len : bytes;

        sanitize_written(v[i].iov_base, here);
        bytes -= here;
    }
}

static void message_written(const struct msghdr *msg, size_t bytes)
{
    sanitize_written(msg, sizeof *msg);
    sanitize_written(msg->msg_name, msg->msg_namelen);
    sanitize_written(msg->msg_control, msg->msg_controllen);
    vector_written(msg->msg_iov, msg->msg_iovlen, bytes);
}

static void name_written(void *name, const socklen_t *len)
{
    if (name == NULL || len == NULL)
        return;
    sanitize_written(len, sizeof *len);
    sanitize_written(name, *len);
}

void op_written(const struct op *op)
{
    if (op->res < 0)
        return;
    switch (op->desc - ops) {
    case OP_READ:
    case OP_PREAD:
    case OP_RECV:
        sanitize_written(op_pointer(op->addr), (size_t)op->res);
        break;
    case OP_READV:
        vector_written(op_pointer(op->addr), op->len, (size_t)op->res);
        break;
    case OP_RECVMSG:
        message_written(op_pointer(op->addr), (size_t)op->res);
        break;
    case OP_ACCEPT:
        name_written(op_pointer(op->addr), op_pointer(op->off));
        break;
    case OP_WAITID:
        if (op->off != 0)
            sanitize_written(op_pointer(op->off), sizeof(siginfo_t));
        break;
    default:
        break;
    }
}
