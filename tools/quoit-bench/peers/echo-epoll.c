/* SPDX-License-Identifier: BSD-3-Clause
 * echo-epoll.c - an echo server as one would write it by hand on epoll
 *
 * One thread. Edge-triggered, so that the kernel need not look again at
 * what it has told, and a receive that fills less than the buffer is known to
 * have got all: a request takes one receive and one send, and as many events as
 * there are come with one epoll_wait. One buffer for all, warm in the cache; what
 * a connection does not take at once is kept with it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "echo.h"

#include "atomic.h"

enum { EVENTS = 512, SPARE = 64 };

struct rest {
    size_t from, to; /* of `data`: not yet sent */
    char data[ECHO_BUFFER];
};

struct server {
    struct echo *e;
    int epoll, closed, err;
    uint64_t calls;
    struct rest **rest; /* by descriptor */
    int rests;
    char buffer[ECHO_BUFFER];
};

static struct server server;

static void hang_up(struct server *s, int fd)
{
    free(s->rest[fd]);
    s->rest[fd] = NULL;
    close(fd);
    s->calls++;
    s->closed++;
}

/* True: all of it is on its way. */
static bool send_some(struct server *s, int fd, const char *data, size_t *from, size_t to)
{
    while (*from < to) {
        ssize_t n = send(fd, data + *from, to - *from, MSG_NOSIGNAL);

        s->calls++;
        if (n < 0)
            return false;
        *from += (size_t)n;
    }
    return true;
}

static void keep(struct server *s, int fd, size_t from, size_t to)
{
    struct rest *r = malloc(sizeof(*r));

    if (!r) {
        s->err = -ENOMEM;
        return;
    }
    r->from = 0;
    r->to = to - from;
    memcpy(r->data, s->buffer + from, to - from);
    s->rest[fd] = r;
}

/* True: nothing is left from before. */
static bool send_rest(struct server *s, int fd)
{
    struct rest *r = s->rest[fd];

    if (!r)
        return true;
    if (!send_some(s, fd, r->data, &r->from, r->to)) {
        if (errno != EAGAIN)
            hang_up(s, fd);
        return false;
    }
    free(r);
    s->rest[fd] = NULL;
    return true;
}

static void answer(struct server *s, int fd, uint32_t events)
{
    ssize_t n;

    if (!send_rest(s, fd))
        return;
    do {
        size_t from = 0;

        n = recv(fd, s->buffer, sizeof(s->buffer), 0);
        s->calls++;
        if (n < 0 && errno == EAGAIN)
            return;
        if (n <= 0) {
            hang_up(s, fd);
            return;
        }
        if (!send_some(s, fd, s->buffer, &from, (size_t)n)) {
            if (errno == EAGAIN)
                keep(s, fd, from, (size_t)n);
            else
                hang_up(s, fd);
            return;
        }
        /* Behind the last byte there may be an end, of which there is no second event. */
    } while (n == sizeof(s->buffer) || (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)));
}

static void admit(struct server *s)
{
    int fd;

    while ((fd = accept4(s->e->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
        struct epoll_event ev = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
                                 .data.fd = fd};

        s->calls += 2;
        if (fd >= s->rests || epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &ev) < 0)
            s->err = fd >= s->rests ? -EMFILE : -errno;
        if (s->err)
            return;
    }
    s->calls++;
    if (errno != EAGAIN)
        s->err = -errno;
}

static int serve(struct server *s)
{
    struct epoll_event ev[EVENTS];

    while (s->closed < s->e->conns && !s->err) {
        int n = epoll_wait(s->epoll, ev, EVENTS, -1);

        s->calls++;
        if (n < 0 && errno != EINTR)
            return -errno;
        for (int i = 0; i < n; i++)
            if (ev[i].data.fd == s->e->listener)
                admit(s);
            else
                answer(s, ev[i].data.fd, ev[i].events);
        store_relaxed(&s->e->shared->calls, s->calls);
    }
    return s->err;
}

int epoll_serve(struct echo *e)
{
    struct epoll_event ev = {.events = EPOLLIN, .data.fd = e->listener};
    struct server *s = &server;
    int err;

    s->e = e;
    s->rests = e->conns + SPARE;
    s->rest = calloc((size_t)s->rests, sizeof(struct rest *));
    if (!s->rest)
        return -ENOMEM;
    s->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (s->epoll < 0 || epoll_ctl(s->epoll, EPOLL_CTL_ADD, e->listener, &ev) < 0)
        return -errno;
    err = serve(s);
    close(s->epoll);
    free(s->rest);
    return err;
}
