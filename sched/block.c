/* SPDX-License-Identifier: BSD-3-Clause
 * block.c - quoit_block, and the threads that make calls which may block
 *
 * A thread is started when a job finds none idle, up to the bound of its kind; past that jobs
 * wait in order. The thread that became idle last is used first, so those that are too many are
 * idle for long, and leave. One that leaves waits for the one that left before it, so at most
 * one is unjoined.
 *
 * These threads have no ring, all signals blocked and the process's cpus: nothing of ours ever
 * interrupts a call of the program's; one of an operation of ours that is to end early is disturbed
 * (disturb.c). Two kinds share them, each with its own bound: file operations end by
 * themselves, and a few are enough; what may wait for another call of its kind needs a thread
 * each, up to QUOIT_MAXBLOCKED.
 *
 * At the end a call may go on for ever. That of an operation of ours is cancelled: the one way to
 * interrupt a call that takes no signal number and no handler from the program. Code of the
 * program is never cancelled, it may hold locks: it is left behind, like a goroutine that
 * computes on (init.c).
 *
 * Threads are started under the lock, or a job could come to wait for one that cannot be had.
 */
#include "block.h"

#include "bind.h"

#include "disturb.h"
#include "env.h"
#include "fork.h"
#include "init.h"
#include "lock.h"
#include "proc.h"
#include "switch.h"
#include "syscall.h"
#include "throw.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>

enum { STACK_BYTES = 1 << 20 };

int64_t block_idle_ns = 5000000000;

/* All under the lock of the pool, but for go. */
struct block_thread {
    pthread_t thread;
    uint32_t go;            /* a  futex: 1: there is something to do */
    uint8_t kind;           /* of the job */
    bool cancel;            /* as the job has it */
    bool cancelled;         /* joined by block_end, and none of the others' business */
    struct block_job *job;  /* made, or about to be; NULL: idle */
    struct block_thread *idle; /* list */
    struct block_thread *all;  /* list */
};

static struct pool {
    struct lock lock; /* of all but the two words */
    uint32_t left;    /* a  futex: +1 for each thread that leaves */
    uint32_t busy;    /* a  hint: jobs */
    int n;
    bool stopping, forked;
    struct block_thread *all, *idle, *gone;
    struct jobs {
        struct block_job *first, *last;
        int made, max;
    } kinds[BLOCK_KINDS];
} pool;

int plain_thread(pthread_t *thread, void *(*fn)(void *), void *arg)
{
    sigset_t all, old;
    pthread_attr_t attr;
    bool wide = bind_widen();
    int e, saved = errno;

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
    errno = saved;
    return -e;
}

/* ---- the threads (under the lock, unless told) ---------------------------------------------- */

static void give_locked(struct block_thread *t, struct block_job *job)
{
    t->job = job;
    t->kind = job->kind;
    t->cancel = job->cancel;
    pool.kinds[job->kind].made++;
}

/* The first that waits and may be made. */
static struct block_job *take_locked(void)
{
    for (int k = 0; k < BLOCK_KINDS; k++) {
        struct jobs *q = &pool.kinds[k];
        struct block_job *job = q->first;

        if (job != NULL && q->made < q->max) {
            q->first = job->next;
            return job;
        }
    }
    return NULL;
}

/* The job is over. */
static void over_locked(struct block_thread *t)
{
    struct block_job *job;

    if (t->cancelled)
        return;
    pool.kinds[t->kind].made--;
    /* hint: only now, or it could look as if nobody will ever make the goroutine ready */
    add_relaxed(&pool.busy, -1u);
    t->job = NULL;
    job = take_locked();
    if (job != NULL) {
        give_locked(t, job);
        store_relaxed(&t->go, 1);
    } else {
        t->idle = pool.idle;
        pool.idle = t;
    }
}

static void idle_drop_locked(const struct block_thread *t)
{
    struct block_thread **at = &pool.idle;

    while (*at != t)
        at = &(*at)->idle;
    *at = t->idle;
}

/* Until it may start with a job; false: it is to leave. */
static bool await_job_locked(struct block_thread *t)
{
    int64_t until = nanotime() + block_idle_ns;

    while (!pool.stopping && load_relaxed(&t->go) == 0) {
        bool idle = t->job == NULL;

        if (idle && nanotime() >= until) {
            idle_drop_locked(t);
            return false;
        }
        unlock(&pool.lock);
        (void)futex_wait(&t->go, 0, idle ? until : INT64_MAX);
        lock(&pool.lock);
    }
    store_relaxed(&t->go, 0);
    return !pool.stopping;
}

static void all_drop_locked(const struct block_thread *t)
{
    struct block_thread **at = &pool.all;

    while (*at != t)
        at = &(*at)->all;
    *at = t->all;
    pool.n--;
}

static void join_and_free(struct block_thread *t)
{
    pthread_join(t->thread, NULL);
    free(t);
}

/* The last thing that a thread does, with the lock, which it gives back. */
static void leave_locked(struct block_thread *t)
{
    struct block_thread *before = NULL;

    if (!t->cancelled) {
        all_drop_locked(t);
        before = pool.gone;
        pool.gone = t;
        store_relaxed(&pool.left, pool.left + 1);
        futex_wake(&pool.left, 1);
    }
    unlock(&pool.lock);
    if (before != NULL)
        join_and_free(before);
}

/* Cancelled in a call: the frames from there up to here are left without returning, and TSan takes
 * no notice of locks from here on. */
static void cut(void *arg)
{
    const struct block_thread *t = arg;

    if (!t->cancel)
        throw("quoit_block: the function ended the thread that it was called on");
    sanitize_cut();
}

static void *thread_main(void *arg)
{
    struct block_thread *t = arg;

    pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
    pthread_cleanup_push(cut, t);
    lock(&pool.lock);
    while (await_job_locked(t)) {
        struct block_job *job = t->job;

        unlock(&pool.lock);
        job->run(job);
        lock(&pool.lock);
        over_locked(t);
    }
    leave_locked(t);
    pthread_cleanup_pop(0);
    return NULL;
}

static struct block_thread *start_locked(void)
{
    struct block_thread *t = calloc(1, sizeof *t);

    if (t == NULL)
        return NULL;
    if (plain_thread(&t->thread, thread_main, t) < 0) {
        free(t);
        return NULL;
    }
    t->all = pool.all;
    pool.all = t;
    pool.n++;
    return t;
}

/* An idle one, or a new one. */
static struct block_thread *thread_locked(void)
{
    struct block_thread *t = pool.idle;

    if (t == NULL)
        return start_locked();
    pool.idle = t->idle;
    return t;
}

/* ---- jobs ----------------------------------------------------------------------------------- */

static void queue_locked(struct jobs *q, struct block_job *job)
{
    job->next = NULL;
    if (q->first != NULL)
        q->last->next = job;
    else
        q->first = job;
    q->last = job;
}

static bool submit_locked(struct block_job *job, struct block_thread **thread)
{
    struct jobs *q = &pool.kinds[job->kind];
    struct block_thread *t = q->made < q->max ? thread_locked() : NULL;

    if (t == NULL && q->made == 0)
        return false;
    add_relaxed(&pool.busy, 1);
    if (t != NULL)
        give_locked(t, job);
    else
        queue_locked(q, job);
    *thread = t;
    return true;
}

bool block_submit(struct block_job *job, struct block_thread **thread)
{
    int saved = errno;
    bool done = true;

    *thread = NULL;
    if (pool.forked)
        return false;
    lock(&pool.lock);
    /* At the end nobody will run the goroutine any more. */
    if (!pool.stopping)
        done = submit_locked(job, thread);
    unlock(&pool.lock);
    errno = saved;
    return done;
}

int block_go(void *thread)
{
    struct block_thread *t = thread;

    if (t == NULL)
        return 1;
    lock(&pool.lock);
    store_relaxed(&t->go, 1);
    unlock(&pool.lock);
    futex_wake(&t->go, 1);
    return 1;
}

void block_ready(struct quoit_g *gp)
{
    if (foreign_enter()) {
        ready(NULL, gp);
        foreign_leave();
    }
}

static bool unqueue_locked(struct jobs *q, const struct block_job *job)
{
    struct block_job *before = NULL;

    for (struct block_job *j = q->first; j != NULL; before = j, j = j->next) {
        if (j != job)
            continue;
        if (before != NULL)
            before->next = j->next;
        else
            q->first = j->next;
        if (q->last == j)
            q->last = before;
        add_relaxed(&pool.busy, -1u);
        return true;
    }
    return false;
}

bool block_take_back(const struct block_job *job)
{
    bool queued;

    lock(&pool.lock);
    queued = unqueue_locked(&pool.kinds[job->kind], job);
    for (struct block_thread *t = queued ? NULL : pool.all; t != NULL; t = t->all)
        if (t->job == job)
            disturb(t->thread);
    unlock(&pool.lock);
    return queued;
}

int block_count(void)
{
    return (int)load_relaxed(&pool.busy);
}

int block_threads(void)
{
    int n;

    lock(&pool.lock);
    n = pool.n;
    unlock(&pool.lock);
    return n;
}

/* ---- start and end -------------------------------------------------------------------------- */

int block_init(void)
{
    pool = (struct pool){ 0 };
    pool.kinds[BLOCK_LASTS].max = env.max_blocked;
    return 0;
}

void block_bound(int max)
{
    pool.kinds[BLOCK_ENDS].max = max;
}

/* Those that are cancelled, linked by t->idle. */
static struct block_thread *stop_locked(void)
{
    struct block_thread *cancelled = NULL;

    pool.stopping = true;
    for (int k = 0; k < BLOCK_KINDS; k++)
        pool.kinds[k].first = NULL;
    for (struct block_thread *t = pool.all; t != NULL; t = t->all) {
        if (t->job != NULL && t->cancel) {
            pthread_cancel(t->thread);
            t->cancelled = true;
            all_drop_locked(t);
            t->idle = cancelled;
            cancelled = t;
        }
        store_relaxed(&t->go, 1);
        futex_wake(&t->go, 1);
    }
    return cancelled;
}

bool block_end(int64_t grace_ns)
{
    int64_t until = nanotime() + grace_ns;
    struct block_thread *last, *t, *next;
    int n;

    lock(&pool.lock);
    t = stop_locked();
    unlock(&pool.lock);
    for (; t != NULL; t = next) {
        next = t->idle;
        join_and_free(t);
    }
    lock(&pool.lock);
    while (pool.n > 0 && nanotime() < until) {
        uint32_t seen = load_relaxed(&pool.left);

        unlock(&pool.lock);
        (void)futex_wait(&pool.left, seen, until);
        lock(&pool.lock);
    }
    n = pool.n;
    last = pool.gone;
    if (n == 0)
        pool.gone = NULL;
    unlock(&pool.lock);
    if (n == 0 && last != NULL)
        join_and_free(last);
    if (n == 0)
        disturb_end();
    return n == 0;
}

void block_after_fork_child(void)
{
    /* Who looks for leaks in the child finds the parent's. */
    pool = (struct pool){ .forked = true, .all = pool.all, .gone = pool.gone };
}

/* ---- public --------------------------------------------------------------------------------- */

struct call {
    struct block_job job;
    quoit_fn fn;
    void *arg;
    struct quoit_g *gp;
    int result;
};

static void make_call(struct block_job *job)
{
    struct call *c = container_of(job, struct call, job);
    struct quoit_g *gp = c->gp;

    c->result = c->fn(c->arg);
    /* The goroutine is on this thread's stack no more than on any other's. */
    if (unlikely(pool.forked))
        child_returned();
    block_ready(gp);
}

static int call_plain(quoit_fn fn, void *arg)
{
    int saved = errno, result = fn(arg);

    errno = saved;
    return result;
}

int quoit_block(quoit_fn fn, void *arg)
{
    struct call c = { .job = { .run = make_call, .kind = BLOCK_LASTS }, .fn = fn, .arg = arg };
    struct block_thread *t;
    struct m *mp;
    bool taken;

    if (fn == NULL)
        return -EINVAL;
    mp = enter();
    if (mp == NULL)
        return call_plain(fn, arg);
    if (unlikely(mp->locks != 0))
        pinned("quoit_block");
    c.gp = mp->curg;
    if (unlikely(mp->lockedg != NULL))
        return block_inline(mp, fn, arg);
    mp->locks++;
    taken = block_submit(&c.job, &t);
    mp->locks--;
    if (!taken)
        return block_inline(mp, fn, arg);
    leave(park(mp, block_go, t, "block"));
    return c.result;
}
