/* SPDX-License-Identifier: BSD-3-Clause
 * test-core-lock.c - goroutines that are locked to a thread stay there, alone
 */
#include "quoit.h"
#include "quoit_io.h"

#include "tap.h"
#include "world.h"

#include <errno.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { LOCKED = 12, BUSY = 8, LAPS = 300, SHORT_NS = 200000 };

#define LONG_NS (60 * INT64_C(1000000000))

static __thread long of_thread;
static int main_tid, stop;
static quoit_wg wg;

/* Functions of their own, so that nothing about the thread is kept over a switch. */
static __attribute__((noinline)) int tid(void)
{
    return (int)syscall(SYS_gettid);
}

static __attribute__((noinline)) void thread_set(long value)
{
    of_thread = value;
}

static __attribute__((noinline)) long thread_value(void)
{
    return of_thread;
}

static int nothing(void *arg)
{
    (void)arg;
    return 0;
}

static void pipe_or_bail(int fds[2])
{
    if (pipe(fds) != 0)
        bail("pipe");
}

static void pipe_close(const int fds[2])
{
    close(fds[0]);
    close(fds[1]);
}

static bool thread_is_there(int who)
{
    char path[64];

    snprintf(path, sizeof path, "/proc/self/task/%d", who);
    return access(path, F_OK) == 0;
}

static bool thread_goes(int who)
{
    int64_t until = world_now() + LONG_NS;

    while (thread_is_there(who) && world_now() < until)
        quoit_sleep(SHORT_NS);
    return !thread_is_there(who);
}

/* ---- the first goroutine -------------------------------------------------------------------- */

static void main_begins_on_its_thread(void)
{
    is_int(tid(), main_tid, "the first goroutine begins on the thread that called quoit_main");
    is_int(quoit_lock_thread(), 1, "and locks itself to it");
    for (int i = 0; i < LAPS; i++) {
        world_spawn(nothing, NULL);
        quoit_yield();
    }
    quoit_sleep(SHORT_NS);
    is_int(tid(), main_tid, "where it stays");
    is_int(quoit_unlock_thread(), 0, "until it does not want to any more");
}

static void they_nest(void)
{
    int here;

    is_int(quoit_unlock_thread(), -EPERM, "unlocked without being locked");
    is_int(quoit_lock_thread(), 1, "locked");
    here = tid();
    is_int(quoit_lock_thread(), 2, "twice");
    is_int(quoit_lock_thread(), 3, "three times");
    is_int(quoit_unlock_thread(), 2, "unlocked once");
    is_int(quoit_unlock_thread(), 1, "and again");
    quoit_sleep(SHORT_NS);
    is_int(tid(), here, "still locked");
    is_int(quoit_unlock_thread(), 0, "and free");
    is_int(quoit_unlock_thread(), -EPERM, "not more than free");
}

/* ---- alone on the thread -------------------------------------------------------------------- */

/* 0: nobody is locked to a thread there. */
static int locked_tids[LOCKED];
static long strangers, moved;

static bool is_locked(int who)
{
    for (int i = 0; i < LOCKED; i++)
        if (__atomic_load_n(&locked_tids[i], __ATOMIC_ACQUIRE) == who)
            return true;
    return false;
}

/* Runs until told, and looks at each turn whether it is where it must not be. */
static int wanders(void *arg)
{
    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
        if (is_locked(tid()))
            __atomic_add_fetch(&strangers, 1, __ATOMIC_RELAXED);
        quoit_yield();
        if (is_locked(tid()))
            __atomic_add_fetch(&strangers, 1, __ATOMIC_RELAXED);
        world_join(world_go(nothing, arg));
    }
    quoit_wg_done(&wg);
    return 0;
}

static void all_wander(void)
{
    __atomic_store_n(&stop, 0, __ATOMIC_RELAXED);
    quoit_wg_add(&wg, BUSY);
    for (int i = 0; i < BUSY; i++)
        world_spawn(wanders, NULL);
}

static void none_wanders(void)
{
    __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
    quoit_wg_wait(&wg);
}

struct self {
    int id, tid;
};

static void lock_here(struct self *s, int id)
{
    *s = (struct self){ id, 0 };
    quoit_lock_thread();
    s->tid = tid();
    thread_set(s->tid);
    __atomic_store_n(&locked_tids[id], s->tid, __ATOMIC_RELEASE);
}

static void still_here(const struct self *s)
{
    if (tid() != s->tid || thread_value() != s->tid)
        __atomic_add_fetch(&moved, 1, __ATOMIC_RELAXED);
}

static void unlock_here(const struct self *s)
{
    still_here(s);
    thread_set(0);
    __atomic_store_n(&locked_tids[s->id], 0, __ATOMIC_RELEASE);
    quoit_unlock_thread();
}

static int tells_tid(void *arg)
{
    (void)arg;
    return tid();
}

static int posts(void *s)
{
    quoit_sema_post(s);
    return 0;
}

static int writes(void *fd)
{
    return quoit_write(*(int *)fd, "x", 1) == 1 ? 0 : 1;
}

/* One of each way to wait. */
static void waits_all_ways(const struct self *s)
{
    quoit_sema sema = QUOIT_SEMA_INIT;
    int fds[2];
    char c;

    quoit_yield();
    still_here(s);
    world_spawn(posts, &sema);
    quoit_sema_wait(&sema);
    still_here(s);
    quoit_sleep(SHORT_NS / 10);
    still_here(s);
    if (world_join(world_go(tells_tid, NULL)) == s->tid)
        __atomic_add_fetch(&strangers, 1, __ATOMIC_RELAXED);
    still_here(s);
    pipe_or_bail(fds);
    world_spawn(writes, &fds[1]);
    if (quoit_read(fds[0], &c, 1) != 1)
        bail("quoit_read");
    still_here(s);
    if (quoit_block(tells_tid, NULL) != s->tid)
        __atomic_add_fetch(&moved, 1, __ATOMIC_RELAXED);
    still_here(s);
    /* What it calls may call Quoit, as from any thread. */
    (void)quoit_block(posts, &sema);
    quoit_sema_wait(&sema);
    still_here(s);
    quoit_syscall_enter();
    quoit_syscall_exit();
    still_here(s);
    pipe_close(fds);
}

static int is_locked_for_a_while(void *arg)
{
    struct self s;

    lock_here(&s, (int)(intptr_t)arg);
    for (int i = world_rounds(30); i > 0; i--)
        waits_all_ways(&s);
    unlock_here(&s);
    return 0;
}

static void alone_and_in_place(void)
{
    struct quoit_g *g[LOCKED];

    all_wander();
    for (int i = 0; i < LOCKED; i++)
        g[i] = world_go_apart(is_locked_for_a_while, (void *)(intptr_t)i);
    for (int i = 0; i < LOCKED; i++)
        world_join(g[i]);
    none_wanders();
    is_int(moved, 0, "who is locked keeps its thread over each kind of wait");
    is_int(strangers, 0, "and nobody else runs there");
}

/* ---- talking to each other ------------------------------------------------------------------ */

static quoit_sema turn[LOCKED];
static int hops;

static int passes_on(void *arg)
{
    struct self s;
    int id = (int)(intptr_t)arg;

    lock_here(&s, id);
    for (int i = world_rounds(100); i > 0; i--) {
        quoit_sema_wait(&turn[id]);
        still_here(&s);
        hops++;
        quoit_sema_post(&turn[(id + 1) % LOCKED]);
    }
    unlock_here(&s);
    return 0;
}

static void they_talk(void)
{
    struct quoit_g *g[LOCKED];

    for (int i = 0; i < LOCKED; i++)
        g[i] = world_go_apart(passes_on, (void *)(intptr_t)i);
    quoit_sema_post(&turn[0]);
    for (int i = 0; i < LOCKED; i++)
        world_join(g[i]);
    is_int(hops, LOCKED * world_rounds(100), "locked ones hand a word round and round");
    is_int(moved, 0, "each on its own thread");
}

/* Whom a locked one waits for gets the P: with one P too. */
static void blocked_for_another(void)
{
    quoit_mutex m = QUOIT_MUTEX_INIT;
    struct quoit_g *g;

    quoit_lock_thread();
    for (int i = 0; i < LAPS; i++) {
        quoit_sema s = QUOIT_SEMA_INIT;

        quoit_mutex_lock(&m);
        g = world_go_apart(posts, &s);
        quoit_mutex_unlock(&m);
        quoit_sema_wait(&s);
        world_join(g);
    }
    quoit_unlock_thread();
    ok(true, "a locked goroutine waits for those that it made");
}

/* ---- the end of one ------------------------------------------------------------------------- */

static int locks_and_returns(void *arg)
{
    quoit_lock_thread();
    *(int *)arg = tid();
    return 5;
}

static int locks_and_exits(void *arg)
{
    quoit_lock_thread();
    quoit_lock_thread();
    *(int *)arg = tid();
    quoit_yield();
    quoit_goexit(6);
}

static int locks_in_vain(void *arg)
{
    quoit_lock_thread();
    *(int *)arg = tid();
    quoit_unlock_thread();
    return 0;
}

static void its_end(const char *how, quoit_fn fn, int result)
{
    int who = 0;

    for (int i = 0; i < LOCKED; i++) {
        is_int(world_join(world_go_apart(fn, &who)), result, "one that %s is joined", how);
        if (who != main_tid)
            ok(thread_goes(who), "its thread goes too");
        else
            ok(true, "that was the thread of main, which is kept");
    }
    /* The program goes on, on as many P's as before. */
    all_wander();
    none_wanders();
}

static void in_place(void)
{
    int who, here = tid();

    is_int(world_join(world_go(locks_and_returns, &who)), 5, "a child may end locked in place");
    if (who == here)
        ok(thread_is_there(who), "its joiner keeps the thread");
    else
        ok(thread_goes(who), "it was not in place, and took its thread along");
    is_int(quoit_unlock_thread(), -EPERM, "the joiner is not locked");
    world_join(world_go_apart(locks_in_vain, &who));
    ok(thread_is_there(who), "who unlocked before its end leaves its thread");
}

/* ---- I/O of others in flight ---------------------------------------------------------------- */

struct reader {
    int fds[2], done[2];
    int tid;
};

static int reads_then_writes(void *arg)
{
    struct reader *r = arg;
    char c;

    __atomic_store_n(&r->tid, tid(), __ATOMIC_RELAXED);
    if (quoit_read(r->fds[0], &c, 1) != 1 || quoit_write(r->done[1], &c, 1) != 1)
        return 1;
    return 0;
}

static int writes_late(void *arg)
{
    const struct reader *r = arg;

    quoit_sleep(SHORT_NS);
    return quoit_write(r->fds[1], "y", 1) == 1 ? 0 : 1;
}

static int reads_plainly(void *arg)
{
    char c;

    return read(*(int *)arg, &c, 1) == 1 ? 0 : 1;
}

/* Its own call waits for what came in by the ring of the same thread. */
static int waits_for_reader(void *arg)
{
    struct reader *r = arg;
    struct quoit_g *g;
    int e;

    g = world_go_apart(reads_then_writes, r);
    while (__atomic_load_n(&r->tid, __ATOMIC_RELAXED) == 0)
        quoit_yield();
    quoit_lock_thread();
    world_spawn(writes_late, r);
    e = quoit_block(reads_plainly, &r->done[0]);
    quoit_unlock_thread();
    return e + world_join(g);
}

/* Ends at once, with its thread; the read of the other was begun on this thread, if there is one
 * P. */
static int leaves_reader(void *arg)
{
    (void)arg;
    quoit_lock_thread();
    return 0;
}

static void with_io_in_flight(void)
{
    struct reader r = { .tid = 0 };
    struct quoit_g *g;
    char c;

    pipe_or_bail(r.fds);
    pipe_or_bail(r.done);
    is_int(world_join(world_go_apart(waits_for_reader, &r)), 0,
           "a locked one blocks while its thread has a read in flight");
    for (int i = 0; i < LOCKED; i++) {
        r.tid = 0;
        g = world_go_apart(reads_then_writes, &r);
        while (__atomic_load_n(&r.tid, __ATOMIC_RELAXED) == 0)
            quoit_yield();
        world_join(world_go_apart(leaves_reader, NULL));
        world_spawn(writes, &r.fds[1]);
        is_int(quoit_read(r.done[0], &c, 1), 1, "one that ended left the others' I/O alone");
        is_int(world_join(g), 0, "which is done");
    }
    pipe_close(r.fds);
    pipe_close(r.done);
}

/* ---- all of it ------------------------------------------------------------------------------ */

static int body(void *arg)
{
    (void)arg;
    main_begins_on_its_thread();
    they_nest();
    alone_and_in_place();
    they_talk();
    blocked_for_another();
    its_end("returns", locks_and_returns, 5);
    its_end("exits", locks_and_exits, 6);
    in_place();
    with_io_in_flight();
    return 7;
}

static int ends_locked(void *arg)
{
    (void)arg;
    quoit_lock_thread();
    for (int i = 0; i < LAPS; i++)
        world_spawn(nothing, NULL);
    quoit_yield();
    return 8;
}

int main(void)
{
    main_tid = tid();
    is_int(quoit_main(body, NULL), 7, "the program ends");
    is_int(quoit_main(ends_locked, NULL), 8, "the first goroutine may end locked");
    is_int(tid(), main_tid, "and its thread goes on");
    return done_testing();
}
