/* SPDX-License-Identifier: BSD-3-Clause
 * posix.c - operations without rings: tried at once, then watched or helped
 *
 * A thousand goroutines that read from pipes must not need a thousand threads, and a
 * bounded pool full of readers would never get to the write that ends their wait. So
 * what depends on readiness waits in the watcher, and the few threads that
 * QUOIT_HELPERS allows only get calls that end by themselves. What does not, and
 * cannot be watched (the open of a FIFO waits for that of its other end, a read from a
 * device that has no way of being asked), gets one of QUOIT_MAXBLOCKED.
 *
 * The watcher uses poll(2): one descriptor may be waited for by many goroutines, which
 * epoll does not know. It takes no more entries than RLIMIT_NOFILE allows descriptors,
 * so all who wait for one share an entry. After each wake-up it goes over all of them;
 * this way is for compatibility, the rings are for speed.
 */
#include "posix.h"

#include "block.h"
#include "disturb.h"
#include "limit.h"
#include "lock.h"
#include "proc.h"
#include "throw.h"
#include "timer.h"

#include "poller.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

/* A call that a thread of the pool is to make: on the stack of who waits for it. */
struct helped {
    struct block_job job;
    struct timed t;
    struct op *op;
    bool told; /* a  to end early: whoever has it finishes it with -ECANCELED */
};

/* Between two tries to disturb a thread: it may be just about to block. */
static const int64_t disturb_ns = 2000000;

static uint32_t foreign_busy; /* a  hint: operations that somebody waits for outside of rings */

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

/* The call is over: the goroutine goes on, unless Quoit ends. */
static void finish(struct op *op, long res)
{
    op->res = (int32_t)res;
    timed_wake(NULL, &op->helped->t);
    /* hint: only now, or it could look as if nobody will ever make the goroutine ready */
    add_relaxed(&foreign_busy, -1u);
}

/* ---- the watcher ---------------------------------------------------------------------------- */

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
        finish(op, -EINTR);
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

static bool is_told(const struct op *op)
{
    /* hint: who says so wakes us afterwards */
    return load_relaxed(&op->helped->told);
}

/* It may have been somebody else's data: then it waits on. */
static bool watch_done(struct op *op)
{
    long res = op->desc->look(op);

    if (res == -EAGAIN || res == -EINTR)
        return false;
    if (res != -EOPNOTSUPP)
        finish(op, res);
    else if (!give_away(op))
        /* No thread to be had: the goroutine begins anew. */
        finish(op, -EINTR);
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
        if (is_told(op))
            finish(op, -ECANCELED);
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

static int watcher_start(void)
{
    int e;

    lock(&watcher.lock);
    e = watcher_start_locked();
    unlock(&watcher.lock);
    return e;
}

/* ---- handing over, after the goroutine has left its stack ----------------------------------- */

/* Somebody in there is to end early. */
static void watch_disturb(void)
{
    bool there;

    lock(&watcher.lock);
    there = watcher.started;
    unlock(&watcher.lock);
    if (there)
        (void)eventfd_write(watcher.eventfd, 1);
}

static void watch_put(struct op *op)
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

static bool watch_again(struct op *op)
{
    if (op->desc->events == 0 || watcher_start() != 0)
        return false;
    watch_put(op);
    return true;
}

static int hand_to_watcher(void *arg)
{
    watch_put(arg);
    return 1;
}

/* In a thread of the pool. Where the descriptor has O_NONBLOCK the call does not wait. */
static void make_call(struct block_job *job)
{
    struct op *op = container_of(job, struct helped, job)->op;
    long res = -EINTR;

    /* A bare system call is no point of cancellation, and there is nothing to be undone. */
    if (op->desc->call == NULL)
        pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
    disturb_allow(true);
    while (res == -EINTR && !is_told(op)) {
        pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
        res = op_call(op);
        pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
    }
    disturb_allow(false);
    pthread_setcanceltype(PTHREAD_CANCEL_DEFERRED, NULL);
    if (res == -EINTR)
        res = -ECANCELED;
    if (res != -EAGAIN || !watch_again(op))
        finish(op, res);
}

/* ---- the goroutine's side ------------------------------------------------------------------- */

/* Files are always ready, so to watch them tells nothing; and what they have not in memory is
 * still to come. */
static bool is_file(const struct op *op)
{
    struct stat st;

    return fstat(op->fd, &st) < 0 || S_ISREG(st.st_mode) || S_ISDIR(st.st_mode) ||
           S_ISBLK(st.st_mode);
}

/* Without blocking. A file of which only a part is in memory gives that part: the rest is
 * asked for, since a short count means the end of a file to many programs. */
static long look(struct op *op)
{
    long res;

    if (op->desc->look == NULL)
        return -EOPNOTSUPP;
    for (;;) {
        res = op->desc->look(op);
        if (res <= 0 || !op->desc->whole || (uint64_t)res >= op->len || !is_file(op))
            return res;
        op->done += (uint32_t)res;
        op->addr += (uint64_t)res;
        op->len -= (uint32_t)res;
        if (op->off != (uint64_t)-1)
            op->off += (uint64_t)res;
    }
}


/* It is to end early: whoever has the call by now is disturbed until it has let go. One that no
 * thread has begun is taken back. */
static struct m *withdraw(struct m *mp, struct op *op, struct helped *h)
{
    store_relaxed(&h->told, true);
    while (timed_out(&h->t)) {
        watch_disturb();
        if (block_take_back(&h->job)) {
            add_relaxed(&foreign_busy, -1u);
            op->res = -ECANCELED;
            return mp;
        }
        mp = timed_settle_until(mp, &h->t, nanotime() + disturb_ns, op->desc->name);
    }
    return mp;
}

/* The goroutine waits for the watcher, or for a thread that makes the call. False: no thread is to
 * be had. */
static bool wait_elsewhere(struct m **mpp, struct op *op, bool watched, enum block_kind kind)
{
    struct helped h = { .job = { .run = make_call, .kind = kind, .cancel = true }, .op = op };
    struct block_thread *thread = NULL;
    struct m *mp = *mpp;
    bool there;

    op->helped = &h;
    op->gp = mp->curg;
    add_relaxed(&foreign_busy, 1);
    mp->locks++;
    there = watched ? watcher_start() == 0 : block_submit(&h.job, &thread);
    mp->locks--;
    if (!there) {
        add_relaxed(&foreign_busy, -1u);
        return false;
    }
    store_relaxed(&mp->poller->helper_ops, mp->poller->helper_ops + 1);
    mp = timed_wait_limited(mp, &h.t, INT64_MAX, watched ? hand_to_watcher : block_go,
                            watched ? (void *)op : thread, op->desc->name);
    if (timed_out(&h.t)) {
        mp = withdraw(mp, op, &h);
        if (op->res == -ECANCELED)
            op->res = limit_error(op->gp);
    }
    *mpp = mp;
    return true;
}

static struct m *wait_somehow(struct m *mp, struct op *op, bool watched, enum block_kind kind)
{
    if (wait_elsewhere(&mp, op, watched, kind) ||
        (watched && wait_elsewhere(&mp, op, false, BLOCK_LASTS)))
        return mp;
    /* Slow beats not at all. */
    if (!watched && kind == BLOCK_ENDS) {
        op->res = (int32_t)op_plain(op);
        return mp;
    }
    op->res = -EINTR;
    return op_later(mp);
}

struct m *posix_wait(struct m *mp, struct op *op)
{
    struct poller *pl = mp->poller;
    int saved = errno;
    long res = look(op);
    bool would_block = res == -EAGAIN || res == -EOPNOTSUPP || res == LOOK_LASTS;
    bool watched = would_block && (op->desc->events == EVENTS_ASKED ||
                                   (op->desc->events != 0 && !is_file(op)));

    errno = saved;
    if (would_block)
        return wait_somehow(mp, op, watched, res == LOOK_LASTS ? BLOCK_LASTS : BLOCK_ENDS);
    store_relaxed(&pl->inline_ops, pl->inline_ops + 1);
    op->res = (int32_t)res;
    return mp;
}

uint32_t posix_busy(void)
{
    return load_relaxed(&foreign_busy);
}

int posix_watchers(void)
{
    int n;

    lock(&watcher.lock);
    n = watcher.started;
    unlock(&watcher.lock);
    return n;
}

int posix_helpers(void)
{
    return block_threads();
}

void posix_init(int max)
{
    watcher = (struct watcher){ 0 };
    store_relaxed(&foreign_busy, 0);
    block_bound(max);
}

void posix_after_fork_child(void)
{
    if (watcher.started)
        close(watcher.eventfd);
    /* Who looks for leaks in the child finds the parent's. */
    watcher = (struct watcher){ .stopping = true, .ops = watcher.ops, .fds = watcher.fds };
    store_relaxed(&foreign_busy, 0);
}

void posix_fini(void)
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
