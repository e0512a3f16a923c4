/* SPDX-License-Identifier: BSD-3-Clause
 * posix.c - operations without rings: tried at once, then watched or helped
 *
 * A thousand goroutines that read from pipes must not need a thousand threads, and a
 * bounded pool full of readers would never get to the write that ends their wait. So
 * what depends on readiness waits in the watcher, and the few threads that
 * QUOIT_HELPERS allows only get calls that end by themselves. What does not, and
 * cannot be watched (the open of a FIFO waits for that of its other end, a read from a
 * device that has no way of being asked), gets one of QUOIT_MAXBLOCKED.
 */
#include "posix.h"

#include "block.h"
#include "disturb.h"
#include "env.h"
#include "limit.h"
#include "proc.h"
#include "throw.h"
#include "timer.h"

#include "poller.h"
#include "watch.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { HELPERS_PER_P = 4, HELPERS_LEAST = 8, HELPERS_MOST = 64 };

/* Between two tries to disturb a thread: it may be just about to block. */
static const int64_t disturb_ns = 2000000;

static uint32_t foreign_busy; /* a  hint: operations that somebody waits for outside of rings */

/* The call is over: the goroutine goes on, unless Quoit ends. */
void posix_finish(struct op *op, long res)
{
    struct quoit_g *gp;

    if (op->batch == NULL) {
        op->res = (int32_t)res;
        timed_wake(NULL, &op->helped->t);
    } else if ((gp = op_finish(op, (int32_t)res)) != NULL) {
        block_ready(gp);
    }
    /* hint: only now, or it could look as if nobody will ever make the goroutine ready */
    add_relaxed(&foreign_busy, -1u);
}

/* ---- handing over, after the goroutine has left its stack ----------------------------------- */

static bool watch_again(struct op *op)
{
    if (op->desc->events == 0 || watch_start() != 0)
        return false;
    watch_put(op);
    return true;
}

static int hand_to_watcher(void *arg)
{
    watch_put(arg);
    return 1;
}

/* In a thread of the pool. */
long posix_call(struct op *op)
{
    long res = -EINTR;

    /* A bare system call is no point of cancellation, and there is nothing to be undone. */
    if (op->desc->call == NULL)
        pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, NULL);
    disturb_allow(true);
    while (res == -EINTR && !posix_told(op)) {
        pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
        res = op_call(op);
        pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
    }
    disturb_allow(false);
    pthread_setcanceltype(PTHREAD_CANCEL_DEFERRED, NULL);
    return res == -EINTR ? -ECANCELED : res;
}

/* In a thread of the pool. Where the descriptor has O_NONBLOCK the call does not wait. */
static void make_call(struct block_job *job)
{
    struct op *op = container_of(job, struct helped, job)->op;
    long res = posix_call(op);

    if (res != -EAGAIN || !watch_again(op))
        posix_finish(op, res);
}

/* ---- the goroutine's side ------------------------------------------------------------------- */

/* Files are always ready, so to watch them tells nothing; and what they have not in memory is
 * still to come. Not by the C library's function: TSan takes a number that a plain system call
 * opened for the file that its wrapper saw there last. */
static bool is_file(const struct op *op)
{
    struct stat st;
    int saved = errno;
    bool file = syscall(SYS_fstat, op->fd, &st) < 0 || S_ISREG(st.st_mode) ||
                S_ISDIR(st.st_mode) || S_ISBLK(st.st_mode);

    errno = saved;
    return file;
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

long posix_try(struct op *op)
{
    int saved = errno;
    long res = look(op);

    errno = saved;
    return res;
}

/* What an operation is given to. */
struct elsewhere {
    bool watched; /* the watcher, else a thread of the pool */
    enum block_kind kind;
    struct block_thread *thread;
};

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

bool posix_give(struct m *mp, struct block_job *job, int n, struct block_thread **thread)
{
    bool there;

    add_relaxed(&foreign_busy, (uint32_t)n);
    mp->locks++;
    there = block_submit(job, thread);
    mp->locks--;
    if (there)
        store_relaxed(&mp->poller->helper_ops, mp->poller->helper_ops + (uint64_t)n);
    else
        add_relaxed(&foreign_busy, -(uint32_t)n);
    return there;
}

/* A place for it with the watcher, or with a thread that makes the call. False: neither is to be
 * had. */
static bool find_place(struct m *mp, struct op *op, struct helped *h, struct elsewhere *to)
{
    *h = (struct helped){ .job = { .run = make_call, .kind = to->kind, .cancel = true }, .op = op };
    op->helped = h;
    /* A call that waits for a thread may get one, and be over, before its goroutine has parked. */
    timed_begin(&h->t, op->gp);
    if (!to->watched)
        return posix_give(mp, &h->job, 1, &to->thread);
    mp->locks++;
    if (watch_start() != 0) {
        mp->locks--;
        return false;
    }
    mp->locks--;
    add_relaxed(&foreign_busy, 1);
    store_relaxed(&mp->poller->helper_ops, mp->poller->helper_ops + 1);
    return true;
}

/* The same, and with any thread rather than none. */
static bool find_any_place(struct m *mp, struct op *op, struct helped *h, struct elsewhere *to)
{
    if (find_place(mp, op, h, to))
        return true;
    if (!to->watched)
        return false;
    to->watched = false;
    to->kind = BLOCK_LASTS;
    return find_place(mp, op, h, to);
}

/* No place is to be had, and slow beats not at all. False: not even that is possible. */
static bool done_here(struct op *op, const struct elsewhere *to)
{
    if (to->watched || to->kind != BLOCK_ENDS)
        return false;
    op->res = (int32_t)op_plain(op);
    return true;
}

/* What can be done at once is; else where it may wait. */
static bool done_at_once(struct m *mp, struct op *op, struct elsewhere *to)
{
    long res = posix_try(op);
    bool would_block = res == -EAGAIN || res == -EOPNOTSUPP || res == LOOK_LASTS;

    to->kind = res == LOOK_LASTS ? BLOCK_LASTS : BLOCK_ENDS;
    to->watched = would_block && (op->desc->events == EVENTS_ASKED ||
                                  (op->desc->events != 0 && !is_file(op)));
    if (would_block)
        return false;
    store_relaxed(&mp->poller->inline_ops, mp->poller->inline_ops + 1);
    op->res = (int32_t)res;
    return true;
}

static struct m *wait_there(struct m *mp, struct op *op, struct helped *h,
                            const struct elsewhere *to)
{
    mp = timed_wait_begun(mp, &h->t, INT64_MAX, to->watched ? hand_to_watcher : block_go,
                          to->watched ? (void *)op : to->thread, op->desc->name);
    if (timed_out(&h->t)) {
        mp = withdraw(mp, op, h);
        if (op->res == -ECANCELED)
            op->res = limit_error(op->gp);
    }
    return mp;
}

struct m *posix_wait(struct m *mp, struct op *op)
{
    struct elsewhere to = { .thread = NULL };
    struct helped h;

    if (done_at_once(mp, op, &to))
        return mp;
    op->gp = mp->curg;
    if (find_any_place(mp, op, &h, &to))
        return wait_there(mp, op, &h, &to);
    if (done_here(op, &to))
        return mp;
    op->res = -EINTR;
    return op_later(mp);
}

bool posix_begin(struct m *mp, struct op *op, struct helped *h)
{
    struct elsewhere to = { .thread = NULL };

    if (done_at_once(mp, op, &to))
        return false;
    if (!find_any_place(mp, op, h, &to)) {
        if (!done_here(op, &to))
            op->res = -EINTR;
        return false;
    }
    if (to.watched)
        watch_put(op);
    else
        block_go(to.thread);
    return true;
}

bool posix_lasts(const struct op *op)
{
    return op->desc->events != 0 && !is_file(op);
}

uint32_t posix_busy(void)
{
    return load_relaxed(&foreign_busy);
}

int posix_helpers(void)
{
    return block_threads();
}

/* Most threads for calls that end by themselves. */
static int helpers_max(int nprocs)
{
    int n = nprocs * HELPERS_PER_P;

    if (env.helpers > 0)
        return env.helpers;
    return n < HELPERS_LEAST ? HELPERS_LEAST : n > HELPERS_MOST ? HELPERS_MOST : n;
}

void posix_init(int nprocs)
{
    watch_init();
    store_relaxed(&foreign_busy, 0);
    block_bound(helpers_max(nprocs));
}

void posix_after_fork_child(void)
{
    watch_after_fork_child();
    store_relaxed(&foreign_busy, 0);
}
