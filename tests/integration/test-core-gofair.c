/* SPDX-License-Identifier: BSD-3-Clause
 * test-core-gofair.c - each gets on, whatever the others do: those that yield, wait, sleep, stop
 * the world, are locked to threads, or compute for long at a time
 *
 * Nobody is interrupted yet: who computes for long still calls Quoit now and then.
 */
#include "quoit.h"

#include "tap.h"
#include "world.h"

#include <sched.h>
#include <stdint.h>

enum { PROCS_MAX = 8, YIELDS = 1000, ROUNDS = 50, MANY = 1000, SHORT_NS = 100000 };

#define LONG_NS (60 * INT64_C(1000000000))

static int over;
static quoit_wg wg;

static bool going_on(void)
{
    return !__atomic_load_n(&over, __ATOMIC_RELAXED);
}

static void begin(quoit_fn fn, void *arg, int n)
{
    quoit_wg_add(&wg, n);
    for (int i = 0; i < n; i++)
        world_spawn(fn, arg);
}

static void all_end(void)
{
    __atomic_store_n(&over, 1, __ATOMIC_RELAXED);
    quoit_wg_wait(&wg);
    __atomic_store_n(&over, 0, __ATOMIC_RELAXED);
}

/* ---- yield ---------------------------------------------------------------------------------- */

static int yields(void *lock)
{
    if (lock != NULL)
        quoit_lock_thread();
    while (going_on())
        quoit_yield();
    quoit_wg_done(&wg);
    return 0;
}

/* Who only yields lets others get on; locked to a thread too. */
static void yield_progress(bool locked)
{
    int rounds = world_rounds(YIELDS);

    begin(yields, locked ? &over : NULL, 3);
    for (int i = 0; i < rounds; i++)
        quoit_yield();
    all_end();
    ok(true, "%d yields beside others that yield%s", rounds, locked ? ", locked to threads" : "");
}

static int yields_locked(void *arg)
{
    quoit_lock_thread();
    for (int i = world_rounds(YIELDS / 10); i > 0; i--) {
        quoit_yield();
        quoit_sleep(SHORT_NS / 100);
    }
    quoit_sema_post(arg);
    return 0;
}

static void yield_locked(void)
{
    quoit_sema s = QUOIT_SEMA_INIT;

    world_spawn(yields_locked, &s);
    quoit_sema_wait(&s);
    ok(true, "one locked to its thread yields and sleeps");
}

static int blocks_locked(void *arg)
{
    quoit_sema *s = arg;

    quoit_lock_thread();
    quoit_sema_wait(s);
    quoit_unlock_thread();
    quoit_sema_post(s + 1);
    return 0;
}

static void block_locked(void)
{
    quoit_sema s[2] = { QUOIT_SEMA_INIT, QUOIT_SEMA_INIT };

    for (int i = world_rounds(ROUNDS); i > 0; i--) {
        world_spawn(blocks_locked, s);
        quoit_yield();
        quoit_sema_post(&s[0]);
        quoit_sema_wait(&s[1]);
    }
    ok(true, "one that waits locked is readied");
}

/* ---- at the same time ----------------------------------------------------------------------- */

static int turn;

/* Each waits, without giving way, until the one before it has had its turn: all have a P. */
static int takes_turns(void *arg)
{
    int i = (int)(intptr_t)arg, n = world_procs();
    int64_t until = world_now() + LONG_NS;

    for (int lap = 0; lap < 3; lap++) {
        while (__atomic_load_n(&turn, __ATOMIC_ACQUIRE) != lap * n + i)
            if (sched_yield() != 0 || world_now() > until)
                return 1;
        __atomic_store_n(&turn, lap * n + i + 1, __ATOMIC_RELEASE);
    }
    return 0;
}

/* As many as there are P's run at once, the caller's among them. */
static void parallelism(const char *what)
{
    struct quoit_g *g[PROCS_MAX];
    int n = world_procs(), late = 0;

    for (int i = world_rounds(ROUNDS / 10); i > 0; i--) {
        turn = 0;
        for (int k = 0; k < n; k++)
            g[k] = world_go_apart(takes_turns, (void *)(intptr_t)k);
        for (int k = 0; k < n; k++)
            late += world_join(g[k]);
    }
    is_int(late, 0, "as many run at once as there are P's%s", what);
}

static void parallelism2(void)
{
    int stopped = quoit_stop_world(INT64_MAX, 0);

    is_int(stopped, 0, "stopped");
    quoit_start_world();
    parallelism(", after the world was stopped");
    begin(yields, NULL, 1);
    quoit_sleep(SHORT_NS);
    all_end();
    parallelism(", after some have slept");
}

/* ---- deadlines and stops beside busy ones --------------------------------------------------- */

static int computes(void *arg)
{
    (void)arg;
    while (going_on()) {
        for (volatile int i = 0; i < 2000; i++)
            ;
        quoit_yield();
    }
    quoit_wg_done(&wg);
    return 0;
}

static void timer_fairness(void)
{
    int rounds = world_rounds(ROUNDS);

    begin(computes, NULL, 2 * world_procs());
    for (int i = 0; i < rounds; i++)
        quoit_sleep(SHORT_NS);
    all_end();
    ok(true, "%d sleeps beside others that compute", rounds);
}

static int stops(void *arg)
{
    (void)arg;
    while (going_on()) {
        if (quoit_stop_world(INT64_MAX, 0) != 0)
            bail("quoit_stop_world");
        quoit_start_world();
    }
    quoit_wg_done(&wg);
    return 0;
}

/* Who stops the world again and again does not keep others from running, nor from stopping it. */
static void stop_fairness(void)
{
    int rounds = world_rounds(ROUNDS / 10);

    begin(stops, NULL, 2);
    begin(computes, NULL, world_procs());
    for (int i = 0; i < rounds; i++) {
        quoit_yield();
        quoit_sleep(SHORT_NS);
        if (quoit_stop_world(INT64_MAX, 0) != 0)
            bail("quoit_stop_world");
        quoit_start_world();
    }
    all_end();
    ok(true, "%d rounds beside others that stop the world", rounds);
}

/* Each stops, resizes and looks while the others do: nobody waits for another for ever. */
static int stops_all_ways(void *arg)
{
    for (int i = world_rounds(ROUNDS); i > 0; i--) {
        switch ((i + (int)(intptr_t)arg) % 3) {
        case 0:
            if (quoit_stop_world(INT64_MAX, 0) != 0)
                bail("quoit_stop_world");
            quoit_start_world();
            break;
        case 1:
            quoit_gomaxprocs(1 + i % PROCS_MAX);
            break;
        default:
            quoit_num_goroutine();
            quoit_yield();
        }
    }
    return 0;
}

static void stop_deadlock(void)
{
    int procs = world_procs();
    struct quoit_g *g[3];

    for (int i = 0; i < 3; i++)
        g[i] = world_go_apart(stops_all_ways, (void *)(intptr_t)i);
    for (int i = 0; i < 3; i++)
        world_join(g[i]);
    quoit_gomaxprocs(procs);
    is_int(world_procs(), procs, "three stop and resize the world at once");
}

/* ---- a pair beside a hog -------------------------------------------------------------------- */

struct pair {
    quoit_sema ping, pong;
    int rounds;
};

static int pongs(void *arg)
{
    struct pair *p = arg;

    for (int i = 0; i < p->rounds; i++) {
        quoit_sema_wait(&p->ping);
        quoit_sema_post(&p->pong);
    }
    quoit_wg_done(&wg);
    return 0;
}

static long hog_turns;

static int hogs(void *arg)
{
    (void)arg;
    while (going_on()) {
        for (volatile int i = 0; i < 20000; i++)
            ;
        __atomic_add_fetch(&hog_turns, 1, __ATOMIC_RELAXED);
        quoit_yield();
    }
    quoit_wg_done(&wg);
    return 0;
}

/* The pair readies each other and always comes next; the hog still has its turns, and it has. */
static void pingpong_hog(void)
{
    struct pair p = { QUOIT_SEMA_INIT, QUOIT_SEMA_INIT, world_rounds(20 * YIELDS) };
    long turns;

    hog_turns = 0;
    begin(hogs, NULL, world_procs());
    begin(pongs, &p, 1);
    for (int i = 0; i < p.rounds; i++) {
        quoit_sema_post(&p.ping);
        quoit_sema_wait(&p.pong);
    }
    turns = __atomic_load_n(&hog_turns, __ATOMIC_RELAXED);
    ok(turns > 0, "a pair of %d rounds beside hogs that had %ld turns", p.rounds, turns);
    all_end();
}

/* ---- counted -------------------------------------------------------------------------------- */

static int waits(void *gate)
{
    quoit_sema_wait(gate);
    quoit_wg_done(&wg);
    return 0;
}

static void num_goroutine(void)
{
    quoit_sema gate = QUOIT_SEMA_INIT;
    int64_t until = world_now() + LONG_NS;
    int before;

    while (quoit_num_goroutine() > 1 && world_now() < until)
        quoit_yield();
    before = quoit_num_goroutine();
    is_int(before, 1, "one goroutine");
    begin(waits, &gate, MANY);
    is_int(quoit_num_goroutine(), before + MANY, "and many");
    for (int i = 0; i < MANY; i++)
        quoit_sema_post(&gate);
    quoit_wg_wait(&wg);
    while (quoit_num_goroutine() > before && world_now() < until)
        quoit_yield();
    is_int(quoit_num_goroutine(), before, "and one again");
}

/* ---- all of it ------------------------------------------------------------------------------ */

static int body(void *arg)
{
    (void)arg;
    yield_progress(false);
    yield_progress(true);
    yield_locked();
    block_locked();
    parallelism("");
    parallelism2();
    timer_fairness();
    stop_fairness();
    stop_deadlock();
    pingpong_hog();
    num_goroutine();
    return 7;
}

int main(void)
{
    is_int(quoit_main(body, NULL), 7, "all get on");
    return done_testing();
}
