/* SPDX-License-Identifier: BSD-3-Clause
 * watch.c - the watcher
 *
 * It uses poll(2): one descriptor may be waited for by many goroutines, which epoll does not know.
 * It takes no more entries than RLIMIT_NOFILE allows descriptors, so all who wait for one share an
 * entry. After each wake-up it goes over all of them; this way is for compatibility, the rings are
 * for speed.
 */
#include "watch.h"

#include "block.h"
#include "lock.h"

#include "posix.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

static struct watcher {
    struct lock lock; /* of the first line */
    struct op *news;
    bool started, stopping;
    pthread_t thread;
    int eventfd;
    /* The watcher's own. */
    struct op **ops;      /* by descriptor */
    struct pollfd *fds;   /* [0] is eventfd, then one for each descriptor of ops */
    unsigned n, room;
} watcher;

static bool watch_grow(void)
{
    unsigned room = watcher.room == 0 ? 64 : watcher.room * 2;
    struct op **o = realloc(watcher.ops, room * sizeof *o);
    struct pollfd *f;

    if (o == NULL)
        return false;
    watcher.ops = o;
    f = realloc(watcher.fds, (room + 1) * sizeof *f);
    if (f == NULL)
        return false;
    watcher.fds = f;
    watcher.room = room;
    return true;
}

static void watch(struct op *op)
{
    if (watcher.n == watcher.room && !watch_grow()) {
        /* The goroutine begins anew: no read ends for want of memory. */
        posix_finish(op, -EINTR);
        return;
    }
    watcher.ops[watcher.n++] = op;
}

static int by_fd(const void *a, const void *b)
{
    int x = (*(struct op *const *)a)->fd, y = (*(struct op *const *)b)->fd;

    return (x > y) - (x < y);
}

/* False: the end. */
static bool watch_news(void)
{
    struct op *op;
    bool stopping;

    lock(&watcher.lock);
    op = watcher.news;
    watcher.news = NULL;
    stopping = watcher.stopping;
    unlock(&watcher.lock);
    if (op == NULL || stopping)
        return !stopping;
    while (op != NULL) {
        struct op *next = op->next;

        watch(op);
        op = next;
    }
    if (watcher.n > 1)
        qsort(watcher.ops, watcher.n, sizeof *watcher.ops, by_fd);
    return true;
}

/* Readiness cannot be looked at more closely: the call may still have to wait for others. */
static bool give_away(struct op *op)
{
    struct block_thread *thread;

    op->helped->job.kind = BLOCK_LASTS;
    if (!block_submit(&op->helped->job, &thread))
        return false;
    block_go(thread);
    return true;
}

/* It may have been somebody else's data: then it waits on. */
static bool watch_done(struct op *op)
{
    long res = op->desc->look(op);

    if (res == -EAGAIN || res == -EINTR)
        return false;
    if (res != -EOPNOTSUPP)
        posix_finish(op, res);
    else if (!give_away(op))
        /* No thread to be had: the goroutine begins anew. */
        posix_finish(op, -EINTR);
    return true;
}

/* Is fds[k] that of op? The first one never is. */
static bool is_for(unsigned k, const struct op *op)
{
    return k > 0 && watcher.fds[k].fd == op->fd;
}

/* How many entries. */
static unsigned watch_list(void)
{
    unsigned k = 0;

    watcher.fds[0] = (struct pollfd){ .fd = watcher.eventfd, .events = POLLIN };
    for (unsigned i = 0; i < watcher.n; i++) {
        const struct op *op = watcher.ops[i];

        if (!is_for(k, op))
            watcher.fds[++k] = (struct pollfd){ .fd = op->fd };
        watcher.fds[k].events |= op_events(op);
    }
    return k + 1;
}

static void watch_look(void)
{
    unsigned kept = 0, k = 0;

    for (unsigned i = 0; i < watcher.n; i++) {
        struct op *op = watcher.ops[i];
        short wanted = (short)(op_events(op) | POLLERR | POLLHUP | POLLNVAL);

        k += !is_for(k, op);
        if (posix_told(op))
            posix_finish(op, -ECANCELED);
        else if (!(watcher.fds[k].revents & wanted) || !watch_done(op))
            watcher.ops[kept++] = op;
    }
    watcher.n = kept;
}

static void *watcher_main(void *arg unused_arg)
{
    while (watch_news()) {
        eventfd_t n;

        if (poll(watcher.fds, watch_list(), -1) < 0)
            continue;
        if (watcher.fds[0].revents != 0)
            (void)eventfd_read(watcher.eventfd, &n);
        watch_look();
    }
    return NULL;
}

/* Under the lock. */
static int watcher_start_locked(void)
{
    int e;

    if (watcher.started)
        return 0;
    if (watcher.stopping)
        return -ESHUTDOWN;
    if (!watch_grow())
        return -ENOMEM;
    watcher.eventfd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (watcher.eventfd < 0)
        return -errno;
    e = plain_thread(&watcher.thread, watcher_main, NULL);
    if (e < 0)
        close(watcher.eventfd);
    watcher.started = e == 0;
    return e;
}

int watch_start(void)
{
    int e;

    lock(&watcher.lock);
    e = watcher_start_locked();
    unlock(&watcher.lock);
    return e;
}

void watch_disturb(void)
{
    bool there;

    lock(&watcher.lock);
    there = watcher.started;
    unlock(&watcher.lock);
    if (there)
        (void)eventfd_write(watcher.eventfd, 1);
}

void watch_put(struct op *op)
{
    bool first;

    lock(&watcher.lock);
    op->next = watcher.news;
    first = op->next == NULL;
    watcher.news = op;
    unlock(&watcher.lock);
    if (first)
        (void)eventfd_write(watcher.eventfd, 1);
}

int watch_threads(void)
{
    int n;

    lock(&watcher.lock);
    n = watcher.started;
    unlock(&watcher.lock);
    return n;
}

/* ---- start and end -------------------------------------------------------------------------- */

void watch_init(void)
{
    watcher = (struct watcher){ 0 };
}

void watch_after_fork_child(void)
{
    if (watcher.started)
        close(watcher.eventfd);
    /* Who looks for leaks in the child finds the parent's. */
    watcher = (struct watcher){ .stopping = true, .ops = watcher.ops, .fds = watcher.fds };
}

void watch_fini(void)
{
    lock(&watcher.lock);
    watcher.stopping = true;
    unlock(&watcher.lock);
    if (watcher.started) {
        (void)eventfd_write(watcher.eventfd, 1);
        pthread_join(watcher.thread, NULL);
        close(watcher.eventfd);
    }
    free(watcher.ops);
    free(watcher.fds);
}
