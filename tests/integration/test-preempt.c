/* SPDX-License-Identifier: BSD-3-Clause
 * test-preempt.c - goroutines give way in the middle of code that was compiled for it
 *
 * Linked with libquoit_preempt.a. One that is not let run on a busy machine for too long loses its
 * P before it can give way; so what is looked for is looked for until it comes.
 */
#include "quoit.h"

#include "preempt-code.h"
#include "tap.h"
#include "world.h"

#include <pthread.h>
#include <stdlib.h>

enum { MANY = 3, SLEEPERS = 8, STOPS = 5, WAKES = 20, SHORT_NS = 1000000 };

static const int64_t long_ns = 60 * INT64_C(1000000000);

static struct quoit_stats stats(void)
{
    struct quoit_stats st = { .size = sizeof st };

    quoit_stats(&st);
    return st;
}

/* As in struct quoit_stats: when asked, in a prologue among others; in the middle of a loop. */
enum rung { ASKED, INJECTED };

static uint64_t in_the_middle(void)
{
    struct quoit_stats st = stats();

    return st.preempts[0] + st.preempts[1];
}

static struct quoit_g *runs[SLEEPERS];
static uint64_t found[SLEEPERS];

static void all_begin(quoit_fn fn, int n)
{
    __atomic_store_n(&stop, 0, __ATOMIC_SEQ_CST);
    for (int i = 0; i < n; i++)
        runs[i] = world_go_apart(fn, &found[i]);
}

static void all_end(int n)
{
    __atomic_store_n(&stop, 1, __ATOMIC_SEQ_CST);
    for (int i = 0; i < n; i++)
        world_join(runs[i]);
}

/* A few of them beside the caller, who wakes now and then. */
static void beside(quoit_fn fn)
{
    all_begin(fn, MANY);
    for (int i = 0; i < WAKES; i++)
        quoit_sleep(SHORT_NS);
    all_end(MANY);
}

static void gives_way(quoit_fn fn, enum rung rung, const char *what)
{
    uint64_t before = stats().preempts[rung];

    do
        beside(fn);
    while (stats().preempts[rung] == before);
    ok(true, "%s gives way", what);
}

/* Foreign frames lie in between. There is no call in the loop. */
static void not_in_callbacks(void)
{
    uint64_t before = stats().preempts[1];

    beside(sorts);
    is_int((int)(stats().preempts[1] - before), 0, "nobody gives way in a callback of libc");
}

static void right_sums(void)
{
    uint64_t want, before = in_the_middle();
    int wrong = 0;

    sums(&want);
    do {
        all_begin(sums, MANY);
        all_end(MANY);
        for (int i = 0; i < MANY; i++)
            wrong += found[i] != want;
    } while (in_the_middle() == before);
    is_int(wrong, 0, "what was computed in between is right");
}

static void two_take_turns(void)
{
    found[0] = 0;
    found[1] = 1;
    for (int i = 0; i < 2; i++)
        runs[i] = world_go_apart(takes_turns, &found[i]);
    all_end(2);
    ok(true, "two that wait for each other without a call come to their ends");
}

static void after_calls(uint64_t us)
{
    __atomic_store_n(&began, 0, __ATOMIC_SEQ_CST);
    for (int i = 0; i < SLEEPERS; i++)
        found[i] = us;
    all_begin(sleeps_in_calls, SLEEPERS);
    while (__atomic_load_n(&began, __ATOMIC_SEQ_CST) < SLEEPERS)
        quoit_sleep(SHORT_NS);
    all_end(SLEEPERS);
    ok(true, "and so do those that compute after calls of %d us", (int)us);
}

static void stay_themselves(void)
{
    uint64_t before = in_the_middle(), wrong = 0;

    do {
        for (int i = 0; i < MANY; i++)
            found[i] = 0;
        all_begin(stays_itself, MANY);
        all_end(MANY);
        for (int i = 0; i < MANY; i++)
            wrong += found[i];
    } while (in_the_middle() == before);
    is_int((int)wrong, 0, "who goes on after it gave way is still itself");
}

/* ---- who is waited for ---------------------------------------------------------------------- */

static int counts(const struct quoit_ginfo *info, void *arg)
{
    (void)info;
    ++*(int *)arg;
    return 0;
}

static void come_in(quoit_fn fn, const char *what)
{
    int e = 0, seen = 0;

    all_begin(fn, MANY);
    for (int i = 0; i < STOPS && e == 0; i++) {
        e = quoit_stop_world(world_now() + long_ns, 0);
        if (e == 0)
            quoit_start_world();
        quoit_sleep(SHORT_NS);
    }
    is_int(e, 0, "the world can be stopped beside %s", what);
    is_int(quoit_quiesce(counts, &seen), 0, "and all be visited");
    ok(seen > MANY, "each of them");
    quoit_synchronize();
    all_end(MANY);
}

/* ---- locks ---------------------------------------------------------------------------------- */

static int holds(void *arg)
{
    int *wrong = arg;

    for (int i = 0; i < WAKES; i++) {
        if (pthread_mutex_lock(&mutex) != 0)
            ++*wrong;
        quoit_sleep(SHORT_NS / 10);
        if (pthread_mutex_unlock(&mutex) != 0)
            ++*wrong;
    }
    return 0;
}

/* A mutex that is given back by another thread than took it says so. */
static void keep_their_threads(quoit_fn fn, const char *what)
{
    pthread_mutexattr_t attr;
    int wrong[MANY] = { 0 }, sum = 0;
    struct quoit_g *g[MANY];

    pthread_mutexattr_init(&attr);
    pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_ERRORCHECK);
    pthread_mutex_init(&mutex, &attr);
    for (int i = 0; i < MANY; i++)
        g[i] = world_go_apart(fn, &wrong[i]);
    for (int i = 0; i < MANY; i++) {
        world_join(g[i]);
        sum += wrong[i];
    }
    is_int(sum, 0, "a mutex of pthreads is given back by the thread that took it: %s", what);
}

/* ---- signals -------------------------------------------------------------------------------- */

static int behaves(void *arg)
{
    (void)arg;
    for (int i = 0; i < 1000; i++)
        quoit_yield();
    return 0;
}

static int all_behave(void *arg)
{
    struct quoit_g *g[MANY];

    (void)arg;
    for (int i = 0; i < MANY; i++)
        g[i] = world_go_apart(behaves, NULL);
    for (int i = 0; i < MANY; i++)
        world_join(g[i]);
    is_int((int)stats().signals, 0, "where all behave nobody gets a signal");
    return 0;
}

static int without_signals(void *arg)
{
    (void)arg;
    gives_way(calls, ASKED, "without signals a loop with calls");
    is_int((int)stats().signals, 0, "and there was none");
    return 0;
}

static int locks(void *arg)
{
    (void)arg;
    not_in_callbacks();
    keep_their_threads(holds, "across a wait");
    keep_their_threads(holds_and_computes, "and across a long computation");
    return 0;
}

static int body(void *arg)
{
    (void)arg;
    gives_way(calls, INJECTED, "a loop with calls");
    gives_way(loops, INJECTED, "a loop without calls");
    gives_way(copies, ASKED, "a function that others call in between");
    right_sums();
    two_take_turns();
    after_calls(10);
    after_calls(100);
    after_calls(1000);
    stay_themselves();
    come_in(calls, "loops with calls");
    come_in(loops, "loops without calls");
    come_in(big_frames, "functions with large frames");
    /* They are left behind for good. */
    all_begin(loops, MANY);
    quoit_sleep(SHORT_NS);
    return 7;
}

int main(void)
{
    /* A machine that is busy for so long does not let anybody run. */
    setenv("QUOIT_QUANTUM", "1s", 1);
    is_int(quoit_main(all_behave, NULL), 0, "nothing is wrong without work");
    setenv("QUOIT_QUANTUM", "2ms", 1);
    is_int(quoit_main(locks, NULL), 0, "nor with locks");
    if (world_handlers_are_late()) {
        skip("handlers do not find what their signals interrupted");
        return done_testing();
    }
    is_int(quoit_main(body, NULL), 7, "the program ends");
    setenv("GODEBUG", "asyncpreemptoff=1", 1);
    is_int(quoit_main(without_signals, NULL), 0, "and goes on, and so does one without signals");
    return done_testing();
}
