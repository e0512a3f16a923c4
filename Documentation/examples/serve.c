/* SPDX-License-Identifier: BSD-3-Clause
 * serve.c - a socket that listens, a goroutine for each connection, a gentle end
 *
 * Open connections are in a list, so that who waits for SIGTERM can tell each that no more comes.
 */
#include "serve.h"

#include <quoit.h>
#include <quoit_io.h>

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <sys/socket.h>

static const int64_t ms = 1000000;

struct server {
    int fd;        /* listens */
    sigset_t ends; /* signals */
    void (*talk)(int fd, void *arg);
    void *arg;
    quoit_wg open;    /* connections */
    quoit_mutex lock; /* of what follows */
    LIST_HEAD(, connection) all;
    bool ending;
};

struct connection {
    struct server *server;
    int fd;
    LIST_ENTRY(connection) link;
};

/* What comes in after a close turns it into a reset, and that takes away what was sent. */
static void let_finish(int fd)
{
    char dropped[16384];

    quoit_shutdown_socket(fd, SHUT_WR);
    for (int i = 0; i < 64 && quoit_recv(fd, dropped, sizeof dropped, 0) > 0; i++)
        ;
}

static int one_connection(void *arg)
{
    struct connection *c = arg;
    struct server *s = c->server;

    quoit_mutex_lock(&s->lock);
    LIST_INSERT_HEAD(&s->all, c, link);
    if (s->ending)
        quoit_shutdown_socket(c->fd, SHUT_RD);
    quoit_mutex_unlock(&s->lock);
    s->talk(c->fd, s->arg);
    let_finish(c->fd);
    quoit_mutex_lock(&s->lock);
    LIST_REMOVE(c, link);
    quoit_mutex_unlock(&s->lock);
    quoit_close(c->fd);
    quoit_wg_done(&s->open);
    return 0;
}

/* Until the socket is shut down. Any other error is that of one connection, or there is a lack of
 * descriptors or memory: it is worth another try when some others have ended. */
static void accept_all(struct server *s)
{
    struct connection c = { .server = s };

    while ((c.fd = quoit_accept4(s->fd, NULL, NULL, SOCK_CLOEXEC)) != -EINVAL) {
        quoit_wg_add(&s->open, 1);
        if (c.fd >= 0 && quoit_go_copy(one_connection, &c, sizeof c) == 0)
            continue;
        quoit_wg_done(&s->open);
        quoit_close(c.fd);
        quoit_sleep(10 * ms);
    }
}

static int end_at_signal(void *arg)
{
    struct server *s = arg;
    struct connection *c;

    if (quoit_signal_wait(&s->ends, INT64_MAX) < 0)
        return 1;
    quoit_shutdown_socket(s->fd, SHUT_RDWR);
    quoit_mutex_lock(&s->lock);
    s->ending = true;
    LIST_FOREACH(c, &s->all, link)
        quoit_shutdown_socket(c->fd, SHUT_RD);
    quoit_mutex_unlock(&s->lock);
    quoit_sleep(5000 * ms); /* the first goroutine mostly ends the program before */
    exit(0);
}

static int listen_at(const char *port)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port)),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

    /* Connections inherit what is set here. */
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0 ||
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) < 0 ||
        bind(fd, (struct sockaddr *)&at, len) < 0 || listen(fd, SOMAXCONN) < 0 ||
        getsockname(fd, (struct sockaddr *)&at, &len) < 0)
        return -1;
    printf("127.0.0.1:%d\n", ntohs(at.sin_port));
    return fflush(stdout) == 0 ? fd : -1;
}

static int body(void *arg)
{
    struct server *s = arg;

    if (quoit_go(end_at_signal, s) < 0)
        return 1;
    accept_all(s);
    quoit_wg_wait(&s->open);
    return 0;
}

int serve(const char *port, void (*talk)(int fd, void *arg), void *arg)
{
    struct server s = { .talk = talk, .arg = arg };

    /* In all threads, which are made later. */
    sigemptyset(&s.ends);
    sigaddset(&s.ends, SIGTERM);
    sigaddset(&s.ends, SIGINT);
    sigprocmask(SIG_BLOCK, &s.ends, NULL);
    s.fd = listen_at(port);
    if (s.fd < 0) {
        perror(port);
        return 1;
    }
    return quoit_main(body, &s) != 0;
}
