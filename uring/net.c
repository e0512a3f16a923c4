/* SPDX-License-Identifier: BSD-3-Clause
 * net.c - the public functions for sockets, thin
 *
 * What is sent never raises SIGPIPE. A call that was asked not to wait (MSG_DONTWAIT) is made
 * on the spot: a ring has nothing to give it.
 */
#include "quoit_io.h"

#include "op.h"

#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>

/* The most that one call moves. */
static const size_t most = 0x7ffff000;

int quoit_socket(int domain, int type, int protocol)
{
    return (int)op_run(&(struct op){ .desc = &ops[OP_SOCKET], .fd = domain, .off = (uint64_t)type,
                                     .len = (uint32_t)protocol });
}

int quoit_bind(int fd, const struct sockaddr *name, socklen_t len)
{
    return (int)op_run(&(struct op){ .desc = &ops[OP_BIND], .fd = fd, .addr = op_word(name),
                                     .off = len });
}

int quoit_listen(int fd, int backlog)
{
    return (int)op_run(&(struct op){ .desc = &ops[OP_LISTEN], .fd = fd,
                                     .len = (uint32_t)backlog });
}

int quoit_shutdown_socket(int fd, int how)
{
    return (int)op_run(&(struct op){ .desc = &ops[OP_SHUTDOWN], .fd = fd, .len = (uint32_t)how });
}

/* Without blocking, as by a socket with O_NONBLOCK, it goes on by itself; when the socket can be
 * written to, the same call tells how it ended. */
int quoit_connect(int fd, const struct sockaddr *name, socklen_t len)
{
    int e;

    for (;;) {
        e = (int)op_run(&(struct op){ .desc = &ops[OP_CONNECT], .fd = fd, .addr = op_word(name),
                                      .off = len });
        if (e != -EINPROGRESS && e != -EALREADY && (e != -EAGAIN || name->sa_family == AF_UNIX))
            return e;
        e = (int)op_run(&(struct op){ .desc = &ops[OP_POLL], .fd = fd, .flags = POLLOUT });
        if (e < 0)
            return e;
    }
}

int quoit_accept4(int fd, struct sockaddr *name, socklen_t *len, int flags)
{
    return (int)op_run(&(struct op){ .desc = &ops[OP_ACCEPT], .fd = fd, .addr = op_word(name),
                                     .off = op_word(len), .flags = (uint32_t)flags });
}

int quoit_accept(int fd, struct sockaddr *name, socklen_t *len)
{
    return quoit_accept4(fd, name, len, 0);
}

static ssize_t message(int kind, int fd, const void *p, size_t n, int flags)
{
    struct op op = { .desc = &ops[kind], .fd = fd, .addr = op_word(p), .len = (uint32_t)n,
                     .flags = (uint32_t)flags };

    return flags & (MSG_DONTWAIT | MSG_ERRQUEUE) ? op_run_inline(&op) : op_run(&op);
}

/* All of it or an error, as a socket does that blocks: what a ring sends without blocking may
 * be less. */
ssize_t quoit_send(int fd, const void *buf, size_t n, int flags)
{
    ssize_t r;
    size_t done = 0;

    n = n < most ? n : most;
    do {
        r = message(OP_SEND, fd, (const char *)buf + done, n - done, flags | MSG_NOSIGNAL);
        done += r > 0 ? (size_t)r : 0;
    } while (r > 0 && done < n);
    return done > 0 ? (ssize_t)done : r;
}

static int is_stream(int fd)
{
    int type = 0, saved = errno;
    socklen_t len = sizeof type;

    (void)getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len);
    errno = saved;
    return type == SOCK_STREAM;
}

ssize_t quoit_recv(int fd, void *buf, size_t n, int flags)
{
    ssize_t r;
    size_t done;

    n = n < most ? n : most;
    r = message(OP_RECV, fd, buf, n, flags);
    if (!(flags & MSG_WAITALL) || flags & MSG_PEEK || r <= 0 || (size_t)r == n || !is_stream(fd))
        return r;
    /* Older kernels and calls that do not block give what is there. */
    done = (size_t)r;
    do {
        r = message(OP_RECV, fd, (char *)buf + done, n - done, flags);
        done += r > 0 ? (size_t)r : 0;
    } while (r > 0 && done < n);
    return (ssize_t)done;
}

ssize_t quoit_sendmsg(int fd, const struct msghdr *msg, int flags)
{
    return message(OP_SENDMSG, fd, msg, 1, flags | MSG_NOSIGNAL);
}

ssize_t quoit_recvmsg(int fd, struct msghdr *msg, int flags)
{
    return message(OP_RECVMSG, fd, msg, 1, flags);
}

/* As messages: rings knew no address of a send for long. */
ssize_t quoit_sendto(int fd, const void *buf, size_t n, int flags, const struct sockaddr *name,
                     socklen_t len)
{
    struct iovec v = { .iov_base = op_pointer(op_word(buf)), .iov_len = n < most ? n : most };
    struct msghdr msg = { .msg_name = op_pointer(op_word(name)), .msg_namelen = len,
                          .msg_iov = &v, .msg_iovlen = 1 };

    return name == NULL ? quoit_send(fd, buf, n, flags) : quoit_sendmsg(fd, &msg, flags);
}

ssize_t quoit_recvfrom(int fd, void *buf, size_t n, int flags, struct sockaddr *name,
                       socklen_t *len)
{
    struct iovec v = { .iov_base = buf, .iov_len = n < most ? n : most };
    struct msghdr msg = { .msg_name = name, .msg_namelen = len != NULL ? *len : 0, .msg_iov = &v,
                          .msg_iovlen = 1 };
    ssize_t r;

    if (name == NULL)
        return quoit_recv(fd, buf, n, flags);
    r = quoit_recvmsg(fd, &msg, flags);
    if (r >= 0 && len != NULL)
        *len = msg.msg_namelen;
    return r;
}
