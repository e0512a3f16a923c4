/* SPDX-License-Identifier: BSD-3-Clause
 * helper.c - a bounded pool of threads for calls that may block
 *
 * Threads are started when an operation finds none idle, up to the bound, and stay
 * until the end. One that is about to come counts as queued already: two that find
 * the same thread idle would share it, and if the first is the open of a FIFO and the
 * second opens the other end, neither returns. Threads have all signals blocked, so no
 * handler of the user's runs there, and the process's cpus.
 *
 * At the end one of them may be in a call that never returns (an open of a FIFO nobody
 * writes). It is cancelled: the one way to interrupt a call that takes no signal
 * number and no handler from the program. Cancelling is enabled only around the call,
 * so nothing of ours can be left half done; the call's buffer is not written after the
 * join. A descriptor that was being opened right then may be lost, as its goroutine
 * is.
 */
#include "helper.h"

#include "sanitize.h"

#include "bind.h"

#include "init.h"
#include "lock.h"
#include "os_linux.h"
#include "proc.h"
#include "throw.h"

#include "posix.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>

enum { STACK_BYTES = 256 * 1024 };

struct helper {
    pthread_t thread;
    bool busy; /* in a call */
};

static struct pool {
    struct lock lock; /* of all but word */
    uint32_t word;    /* a  futex: moves with each operation that comes */
    struct op *first, *last;
    int queued, coming, idle, n, max;
    bool stopping;
    struct helper *all;
} pool;

uint32_t foreign_busy;

int foreign_start(pthread_t *thread, void *(*fn)(void *), void *arg)
{
    sigset_t all, old;
    pthread_attr_t attr;
    bool wide = bind_widen();
    int e;

    sigfillset(&all);
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, STACK_BYTES);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    e = pthread_create(thread, &attr, fn, arg);
    /* glibc takes the program's thread-local variables out of the stack: there may be more. */
    if (e == EINVAL)
        e = pthread_create(thread, NULL, fn, arg);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    pthread_attr_destroy(&attr);
    if (wide)
        bind_narrow();
    return -e;
}

void finish_foreign(struct op *op, long res)
{
    struct quoit_g *gp = op_finish(op, (int32_t)res);

    if (foreign_enter()) {
        ready(NULL, gp);
        foreign_leave();
    }
    /* hint: only now, or it could look as if nobody will ever make the goroutine ready */
    add_relaxed(&foreign_busy, -1u);
}

/* Under the lock. */
static struct op *take_first(void)
{
    struct op *op = pool.first;

    if (op == NULL)
        return NULL;
    pool.first = op->next;
    if (pool.first == NULL)
        pool.last = NULL;
    pool.queued--;
    return op;
}

/* The next operation, or NULL: the end. */
static struct op *next_op(struct helper *me)
{
    struct op *op;

    lock(&pool.lock);
    me->busy = false;
    while ((op = take_first()) == NULL && !pool.stopping) {
        uint32_t seen = load_relaxed(&pool.word);

        pool.idle++;
        unlock(&pool.lock);
        (void)futex_wait(&pool.word, seen, INT64_MAX);
        lock(&pool.lock);
        pool.idle--;
    }
    if (pool.stopping)
        op = NULL;
    me->busy = op != NULL;
    unlock(&pool.lock);
    return op;
}

/* `expected`: one of those that were told of. */
static void put(struct op *op, bool expected)
{
    bool wake;

    op->next = NULL;
    lock(&pool.lock);
    if (pool.last != NULL)
        pool.last->next = op;
    else
        pool.first = op;
    pool.last = op;
    pool.queued++;
    pool.coming -= expected;
    wake = pool.idle > 0;
    store_relaxed(&pool.word, pool.word + 1);
    unlock(&pool.lock);
    if (wake)
        futex_wake(&pool.word, 1);
}

/* Cancelled in a call: the frames from there up to here are left without returning. */
static void left(void *arg unused_arg)
{
    sanitize_cut();
}

static void *helper_main(void *arg)
{
    struct helper *me = arg;
    struct op *op;

    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
    pthread_cleanup_push(left, NULL);
    while ((op = next_op(me)) != NULL) {
        long res;

        pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
        res = op->desc->call(op);
        pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
        if (res == -EINTR)
            put(op, false);
        else if (res != -EAGAIN || !posix_again(op))
            finish_foreign(op, res);
    }
    pthread_cleanup_pop(0);
    return NULL;
}

/* Under the lock. So many ought to be free. */
static void grow_locked(int wanted)
{
    struct helper *next = &pool.all[pool.n];

    if (!pool.stopping && pool.idle < wanted && pool.n < pool.max &&
        foreign_start(&next->thread, helper_main, next) == 0)
        pool.n++;
}

bool helpers_any(void)
{
    bool any;

    lock(&pool.lock);
    if (pool.n == 0)
        grow_locked(1);
    any = pool.n > 0;
    unlock(&pool.lock);
    return any;
}

bool helpers_expect(void)
{
    bool any;

    lock(&pool.lock);
    grow_locked(pool.queued + pool.coming + 1);
    any = pool.n > 0;
    pool.coming += any;
    unlock(&pool.lock);
    return any;
}

void helpers_put(struct op *op)
{
    put(op, true);
}

int helpers_count(void)
{
    int n;

    lock(&pool.lock);
    n = pool.n;
    unlock(&pool.lock);
    return n;
}

int helpers_init(int max)
{
    pool = (struct pool){ .max = max };
    pool.all = calloc((size_t)max, sizeof pool.all[0]);
    return pool.all == NULL ? -ENOMEM : 0;
}

void helpers_fini(void)
{
    lock(&pool.lock);
    pool.stopping = true;
    store_relaxed(&pool.word, pool.word + 1);
    for (int i = 0; i < pool.n; i++)
        if (pool.all[i].busy)
            pthread_cancel(pool.all[i].thread);
    unlock(&pool.lock);
    futex_wake(&pool.word, INT32_MAX);
    for (int i = 0; i < pool.n; i++)
        pthread_join(pool.all[i].thread, NULL);
    free(pool.all);
    pool.all = NULL;
}
