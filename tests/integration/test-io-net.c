/* SPDX-License-Identifier: BSD-3-Clause
 * test-io-net.c - sockets: streams, datagrams, names, descriptors sent along, peers that go
 *
 * The environment says which way the calls go; what a program sees is the same.
 */
#include "quoit.h"
#include "quoit_io.h"

#include "fds.h"
#include "tap.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { CLIENTS = 50, ROUNDS = 20, BULK = 3 << 20 };

static int sigpipes;

static void on_sigpipe(int sig)
{
    (void)sig;
    __atomic_add_fetch(&sigpipes, 1, __ATOMIC_SEQ_CST);
}

static struct sockaddr *generic(void *name)
{
    return name;
}

/* A socket on a port of the kernel's choice. */
static int bound(int type, struct sockaddr_in *name)
{
    socklen_t len = sizeof *name;
    int fd = quoit_socket(AF_INET, type | SOCK_CLOEXEC, 0);

    *name = (struct sockaddr_in){ .sin_family = AF_INET,
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    if (fd < 0 || quoit_bind(fd, generic(name), sizeof *name) < 0 ||
        getsockname(fd, generic(name), &len) < 0)
        bail("no socket on the loopback");
    return fd;
}

/* ---- streams -------------------------------------------------------------------------------- */

struct server {
    int fd, conns, flags;
    struct sockaddr_in name;
    quoit_wg done;
    int good;
};

static int echo_one(void *arg)
{
    int fd = (int)(intptr_t)arg;
    char b[64];
    ssize_t n;

    while ((n = quoit_recv(fd, b, sizeof b, 0)) > 0 && quoit_send(fd, b, (size_t)n, 0) == n)
        ;
    quoit_close(fd);
    return 0;
}

static int serve(void *arg)
{
    struct server *s = arg;

    for (int i = 0; i < s->conns; i++) {
        struct sockaddr_in peer;
        socklen_t len = sizeof peer;
        int fd = quoit_accept4(s->fd, generic(&peer), &len, SOCK_CLOEXEC | s->flags);

        if (fd < 0 || len != sizeof peer || peer.sin_addr.s_addr != htonl(INADDR_LOOPBACK))
            bail("accept: %d", fd);
        quoit_go(echo_one, (void *)(intptr_t)fd);
    }
    quoit_wg_done(&s->done);
    return 0;
}

static int client(void *arg)
{
    struct server *s = arg;
    char out[16] = "0123456789abcde", in[16];
    int fd = quoit_socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | s->flags, 0), good = 0;

    if (quoit_connect(fd, generic(&s->name), sizeof s->name) == 0)
        for (int i = 0; i < ROUNDS; i++) {
            out[0] = (char)i;
            good += quoit_send(fd, out, sizeof out, 0) == sizeof out &&
                    quoit_recv(fd, in, sizeof in, MSG_WAITALL) == sizeof in &&
                    memcmp(in, out, sizeof in) == 0;
        }
    quoit_close(fd);
    __atomic_add_fetch(&s->good, good, __ATOMIC_RELAXED);
    quoit_wg_done(&s->done);
    return 0;
}

static void clients_are_served(int flags, const char *name)
{
    struct server s = { .conns = CLIENTS, .flags = flags };

    s.fd = bound(SOCK_STREAM | flags, &s.name);
    is_int(quoit_listen(s.fd, CLIENTS), 0, "%s: listen", name);
    quoit_wg_add(&s.done, CLIENTS + 1);
    quoit_go(serve, &s);
    for (int i = 0; i < CLIENTS; i++)
        quoit_go(client, &s);
    quoit_wg_wait(&s.done);
    is_int(s.good, CLIENTS * ROUNDS, "%s: each client got back what it sent", name);
    quoit_close(s.fd);
}

struct bulk {
    int fd;
    char *bytes;
    ssize_t sent;
    quoit_wg done;
};

static int send_bulk(void *arg)
{
    struct bulk *b = arg;

    b->sent = quoit_send(b->fd, b->bytes, BULK, 0);
    (void)quoit_shutdown_socket(b->fd, SHUT_WR);
    quoit_wg_done(&b->done);
    return 0;
}

/* More than a socket holds. */
static void a_large_send_is_whole(void)
{
    struct bulk b = { .bytes = malloc(BULK) };
    char *in = malloc(BULK + 1);
    int s[2];

    if (b.bytes == NULL || in == NULL || socketpair(AF_UNIX, SOCK_STREAM, 0, s) < 0)
        bail("socketpair");
    for (int i = 0; i < BULK; i++)
        b.bytes[i] = (char)(i * 3 + i / 1000);
    b.fd = s[0];
    quoit_wg_add(&b.done, 1);
    quoit_go(send_bulk, &b);
    is_int(quoit_recv(s[1], in, BULK + 1, MSG_WAITALL), BULK, "all came, and then the end");
    quoit_wg_wait(&b.done);
    is_int(b.sent, BULK, "all was sent by one call");
    ok(memcmp(in, b.bytes, BULK) == 0, "as it was sent");
    is_int(quoit_recv(s[1], in, 1, 0), 0, "recv after shutdown: 0");
    close(s[0]);
    close(s[1]);
    free(in);
    free(b.bytes);
}

/* ---- datagrams, descriptors ----------------------------------------------------------------- */

static void datagrams_have_senders(void)
{
    struct sockaddr_in a, b, from;
    socklen_t len = sizeof from;
    char in[16] = "";
    int x = bound(SOCK_DGRAM, &a), y = bound(SOCK_DGRAM, &b);

    is_int(quoit_recvfrom(y, in, sizeof in, MSG_DONTWAIT, generic(&from), &len), -EAGAIN,
           "nothing there: MSG_DONTWAIT");
    is_int(quoit_sendto(x, "hello", 5, 0, generic(&b), sizeof b), 5, "sendto");
    is_int(quoit_recvfrom(y, in, sizeof in, 0, generic(&from), &len), 5, "recvfrom");
    is_str(in, "hello", "what was sent");
    ok(len == sizeof from && from.sin_port == a.sin_port, "and from where");
    is_int(quoit_sendto(x, "hello", 5, 0, generic(&b), sizeof b), 5, "sendto");
    is_int(quoit_recvfrom(y, in, 2, 0, NULL, NULL), 2, "recvfrom without a name cuts it short");
    is_int(quoit_sendto(x, "", 0, 0, generic(&b), sizeof b), 0, "an empty datagram");
    is_int(quoit_recv(y, in, sizeof in, MSG_WAITALL), 0, "arrives as one");
    is_int(quoit_send(x, "x", 1, 0), -EDESTADDRREQ, "send to nobody");
    quoit_close(x);
    quoit_close(y);
}

static int received_fd(struct msghdr *m)
{
    const struct cmsghdr *c = CMSG_FIRSTHDR(m);
    int fd = -1;

    if (c != NULL && c->cmsg_type == SCM_RIGHTS)
        memcpy(&fd, CMSG_DATA(c), sizeof fd);
    return fd;
}

static void descriptors_are_passed(void)
{
    _Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))] = { 0 };
    char byte = 'f', in[4] = "";
    struct iovec v = { &byte, 1 };
    struct msghdr m = { .msg_iov = &v, .msg_iovlen = 1, .msg_control = control,
                        .msg_controllen = sizeof control };
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);
    int s[2], p[2], fd;

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, s) < 0 || quoit_pipe2(p, O_CLOEXEC) < 0)
        bail("socketpair, pipe");
    *c = (struct cmsghdr){ .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS,
                           .cmsg_len = CMSG_LEN(sizeof(int)) };
    memcpy(CMSG_DATA(c), &p[1], sizeof(int));
    is_int(quoit_sendmsg(s[0], &m, 0), 1, "sendmsg with a descriptor");
    memset(control, 0, sizeof control);
    m.msg_controllen = sizeof control;
    is_int(quoit_recvmsg(s[1], &m, MSG_CMSG_CLOEXEC), 1, "recvmsg");
    fd = received_fd(&m);
    ok(fd >= 0 && fd != p[1], "a descriptor came: %d", fd);
    is_int(quoit_write(fd, "abc", 3), 3, "write to it");
    is_int(quoit_read(p[0], in, 3), 3, "and read behind it");
    close(fd);
    close(s[0]);
    close(s[1]);
    close(p[0]);
    close(p[1]);
}

/* ---- errors --------------------------------------------------------------------------------- */

static void errors_are_returned(void)
{
    struct sockaddr_in name;
    char b[4];
    int fd = bound(SOCK_STREAM, &name), p[2];

    is_int(quoit_socket(-1, SOCK_STREAM, 0), -EAFNOSUPPORT, "socket of no family");
    is_int(quoit_bind(fd, generic(&name), sizeof name), -EINVAL, "bind twice");
    is_int(quoit_accept(fd, NULL, NULL), -EINVAL, "accept without listen");
    is_int(quoit_recv(fd, b, sizeof b, 0), -ENOTCONN, "recv without a connection");
    is_int(quoit_shutdown_socket(fd, SHUT_RD), -ENOTCONN, "shutdown without a connection");
    quoit_close(fd);
    fd = quoit_socket(AF_INET, SOCK_STREAM, 0);
    is_int(quoit_connect(fd, generic(&name), sizeof name), -ECONNREFUSED, "nobody listens");
    quoit_close(fd);
    fd = quoit_socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    is_int(quoit_connect(fd, generic(&name), sizeof name), -ECONNREFUSED, "nor with O_NONBLOCK");
    quoit_close(fd);
    is_int(quoit_connect(NO_FD, generic(&name), sizeof name), -EBADF, "connect of a closed one");
    is_int(quoit_accept(NO_FD, NULL, NULL), -EBADF, "accept");
    is_int(quoit_send(NO_FD, b, 1, 0), -EBADF, "send");
    is_int(quoit_recv(NO_FD, b, 1, 0), -EBADF, "recv");
    is_int(quoit_listen(NO_FD, 1), -EBADF, "listen");
    if (pipe(p) < 0)
        bail("pipe");
    is_int(quoit_recv(p[0], b, 1, 0), -ENOTSOCK, "recv from a pipe");
    is_int(quoit_send(p[1], b, 1, 0), -ENOTSOCK, "send to a pipe");
    is_int(quoit_connect(p[0], generic(&name), sizeof name), -ENOTSOCK, "connect of a pipe");
    close(p[0]);
    close(p[1]);
}

static void names_of_the_file_system(void)
{
    struct sockaddr_un name = { .sun_family = AF_UNIX, .sun_path = "" };
    int fd = quoit_socket(AF_UNIX, SOCK_STREAM, 0), to;

    memcpy(name.sun_path + 1, "quoit-none", 10);
    is_int(quoit_connect(fd, generic(&name), sizeof name), -ECONNREFUSED, "unix: nobody listens");
    is_int(quoit_bind(fd, generic(&name), sizeof(sa_family_t)), 0, "unix: bind");
    is_int(quoit_listen(fd, 4), 0, "listen");
    socklen_t len = sizeof name;
    if (getsockname(fd, generic(&name), &len) < 0)
        bail("getsockname");
    to = quoit_socket(AF_UNIX, SOCK_STREAM, 0);
    is_int(quoit_connect(to, generic(&name), len), 0, "unix: connect");
    quoit_close(to);
    quoit_close(fd);
}

/* A reset is an error and no signal, whoever sends. */
static void a_peer_that_resets(void)
{
    struct linger now = { 1, 0 };
    struct sockaddr_in name;
    int l = bound(SOCK_STREAM, &name), a, b;
    char byte;

    (void)quoit_listen(l, 1);
    a = quoit_socket(AF_INET, SOCK_STREAM, 0);
    if (quoit_connect(a, generic(&name), sizeof name) < 0)
        bail("connect");
    b = quoit_accept(l, NULL, NULL);
    setsockopt(b, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    quoit_close(b);
    is_int(quoit_recv(a, &byte, 1, 0), -ECONNRESET, "the peer reset: recv");
    is_int(quoit_send(a, "x", 1, 0), -EPIPE, "send");
    is_int(quoit_sendto(a, "x", 1, 0, generic(&name), sizeof name), -EPIPE, "sendto");
    is_int(__atomic_load_n(&sigpipes, __ATOMIC_SEQ_CST), 0, "and no SIGPIPE");
    quoit_close(a);
    quoit_close(l);
}

/* A limit of the process, and so with nobody else about. */
static void no_descriptor_for_a_connection(void)
{
    struct sockaddr_in name;
    struct rlimit old, few;
    int l = bound(SOCK_STREAM, &name), a;

    (void)quoit_listen(l, 1);
    a = quoit_socket(AF_INET, SOCK_STREAM, 0);
    if (quoit_connect(a, generic(&name), sizeof name) < 0 || getrlimit(RLIMIT_NOFILE, &old) < 0)
        bail("connect, getrlimit");
    few = (struct rlimit){ (rlim_t)a + 1, old.rlim_max };
    setrlimit(RLIMIT_NOFILE, &few);
    is_int(quoit_socket(AF_INET, SOCK_STREAM, 0), -EMFILE, "socket: EMFILE");
    is_int(quoit_accept(l, NULL, NULL), -EMFILE, "accept: EMFILE");
    setrlimit(RLIMIT_NOFILE, &old);
    quoit_close(a);
    quoit_close(l);
}

/* ---- all of it ------------------------------------------------------------------------------ */

static void *alone(void *arg)
{
    datagrams_have_senders();
    descriptors_are_passed();
    errors_are_returned();
    names_of_the_file_system();
    a_peer_that_resets();
    return arg;
}

static int body(void *arg)
{
    pthread_t t;

    no_descriptor_for_a_connection();
    alone(arg);
    clients_are_served(0, "blocking");
    clients_are_served(SOCK_NONBLOCK, "O_NONBLOCK");
    a_large_send_is_whole();
    if (pthread_create(&t, NULL, alone, NULL) != 0)
        bail("pthread_create");
    pthread_join(t, NULL);
    return 0;
}

int main(void)
{
    signal(SIGPIPE, on_sigpipe);
    is_int(quoit_main(body, NULL), 0, "quoit_main");
    return done_testing();
}
