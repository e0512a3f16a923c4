/* SPDX-License-Identifier: BSD-3-Clause
 * test-core-fair.c - nobody is starved by others that are always busy
 *
 * With one P the turns are counted: whoever else wants to run does so within a number of
 * switches. With more, that it comes to its turns at all is what can be said.
 */
#include "quoit.h"

#include "tap.h"
#include "world.h"

#include <pthread.h>
#include <stdint.h>
#include <stdio.h>

/* Every kind of queue is looked at first once in 3 x 61 switches. */
enum { TURNS = 200, LOOK = 61, SOURCES = 3 };

static int stop;
static uint64_t busy_turns;
static quoit_wg wg;

static bool going_on(void)
{
    __atomic_add_fetch(&busy_turns, 1, __ATOMIC_RELAXED);
    return !__atomic_load_n(&stop, __ATOMIC_RELAXED);
}

static void all_stop(void)
{
    __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
    quoit_wg_wait(&wg);
    __atomic_store_n(&stop, 0, __ATOMIC_RELAXED);
}

/* Since `from`, others had a fair number of turns, not more. */
static void counted(uint64_t from, const char *what)
{
    uint64_t n = __atomic_load_n(&busy_turns, __ATOMIC_RELAXED) - from;

    if (world_procs() > 1)
        ok(true, "%s", what);
    else
        ok(n <= 4 * TURNS * LOOK * SOURCES, "%s (%d turns for %d)", what, (int)n, TURNS);
}

static uint64_t turns_now(void)
{
    return __atomic_load_n(&busy_turns, __ATOMIC_RELAXED);
}

/* ---- the busy ones -------------------------------------------------------------------------- */

static int respawns(void *arg)
{
    if (!going_on()) {
        quoit_wg_done(&wg);
        return 0;
    }
    world_spawn(respawns, arg);
    return 0;
}

static int yielder(void *arg)
{
    (void)arg;
    while (going_on())
        quoit_yield();
    quoit_wg_done(&wg);
    return 0;
}

struct table {
    quoit_sema ping, pong;
    bool over;
};

static int ping(void *arg)
{
    struct table *t = arg;

    do {
        t->over = !going_on();
        quoit_sema_post(&t->ping);
        quoit_sema_wait(&t->pong);
    } while (!t->over);
    quoit_wg_done(&wg);
    return 0;
}

static int pong(void *arg)
{
    struct table *t = arg;
    bool over;

    do {
        quoit_sema_wait(&t->ping);
        over = t->over;
        quoit_sema_post(&t->pong);
    } while (!over);
    quoit_wg_done(&wg);
    return 0;
}

static struct table tables[4];

/* As many as keep every P busy. */
static void busy_start(quoit_fn fn, int n)
{
    quoit_wg_add(&wg, n);
    for (int i = 0; i < n; i++)
        world_spawn(fn, NULL);
}

static void pairs_start(void)
{
    for (int i = 0; i < 4; i++) {
        tables[i] = (struct table){ 0 };
        quoit_wg_add(&wg, 2);
        world_spawn(pong, &tables[i]);
        world_spawn(ping, &tables[i]);
    }
}

/* ---- those who want a turn ------------------------------------------------------------------ */

static void started(const char *what)
{
    uint64_t from = turns_now();

    for (int i = 0; i < TURNS; i++)
        quoit_yield();
    counted(from, what);
}

static int turn(void *arg)
{
    quoit_sema_post(arg);
    return 0;
}

static void unstarted(const char *what)
{
    quoit_sema s = QUOIT_SEMA_INIT;
    uint64_t from = turns_now();

    for (int i = 0; i < TURNS; i++) {
        world_spawn(turn, &s);
        quoit_sema_wait(&s);
    }
    counted(from, what);
}

static void *spawns_outside(void *s)
{
    for (int i = 0; i < TURNS; i++)
        if (quoit_go(turn, s) != 0)
            bail("quoit_go");
    return NULL;
}

/* What a plain thread spawns goes to the shared queue. */
static void in_the_shared_queue(const char *what)
{
    quoit_sema s = QUOIT_SEMA_INIT;
    pthread_t other;
    uint64_t from;

    if (pthread_create(&other, NULL, spawns_outside, &s))
        bail("no thread");
    pthread_join(other, NULL);
    from = turns_now();
    for (int i = 0; i < TURNS; i++)
        quoit_sema_wait(&s);
    counted(from, what);
}

static void beside(const char *busy)
{
    char what[100];

    snprintf(what, sizeof what, "one that yields, beside %s", busy);
    started(what);
    snprintf(what, sizeof what, "unstarted ones, beside %s", busy);
    unstarted(what);
    snprintf(what, sizeof what, "the shared queue, beside %s", busy);
    in_the_shared_queue(what);
    all_stop();
}

/* ---- order ---------------------------------------------------------------------------------- */

enum { RUNNERS = 40, LAPS = 20 };

static int laps[RUNNERS * LAPS], nlaps, nrunners;

static int runs_laps(void *arg)
{
    nrunners++;
    while (nrunners < RUNNERS)
        quoit_yield();
    for (int i = 0; i < LAPS; i++) {
        laps[nlaps++] = (int)(intptr_t)arg;
        quoit_yield();
    }
    quoit_wg_done(&wg);
    return 0;
}

/* Those that have started, that is: they come before those that have not. */
static void in_turn(void)
{
    int out_of_turn = 0;

    quoit_wg_add(&wg, RUNNERS);
    for (int i = 0; i < RUNNERS; i++)
        world_spawn(runs_laps, (void *)(intptr_t)i);
    quoit_wg_wait(&wg);
    for (int i = RUNNERS; i < RUNNERS * LAPS; i++)
        out_of_turn += laps[i] != laps[i - RUNNERS];
    is_int(nlaps, RUNNERS * LAPS, "all run");
    is_int(out_of_turn, 0, "goroutines that yield run in turn");
}

static int all(void *arg)
{
    (void)arg;
    busy_start(respawns, 2);
    beside("two that respawn");
    busy_start(respawns, 20);
    beside("twenty that respawn");
    busy_start(yielder, 20);
    beside("twenty that yield");
    pairs_start();
    beside("pairs that talk to each other");
    busy_start(respawns, 4);
    busy_start(yielder, 4);
    pairs_start();
    beside("all of these");
    if (world_procs() == 1)
        in_turn();
    return 0;
}

int main(void)
{
    is_int(quoit_main(all, NULL), 0, "ends");
    return done_testing();
}
