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

enum { MANY = 3, WAKES = 20, SHORT_NS = 1000000 };

static struct quoit_stats stats(void)
{
    struct quoit_stats st = { .size = sizeof st };

    quoit_stats(&st);
    return st;
}

static uint64_t in_the_middle(void)
{
    struct quoit_stats st = stats();

    return st.preempts[0] + st.preempts[1];
}

/* A few of them beside the caller, who wakes now and then. */
static void beside(quoit_fn fn, int n)
{
    struct quoit_g *g[MANY];
    uint64_t found[MANY];

    __atomic_store_n(&stop, 0, __ATOMIC_SEQ_CST);
    for (int i = 0; i < n; i++)
        g[i] = world_go_apart(fn, &found[i]);
    for (int i = 0; i < WAKES; i++)
        quoit_sleep(SHORT_NS);
    __atomic_store_n(&stop, 1, __ATOMIC_SEQ_CST);
    for (int i = 0; i < n; i++)
        world_join(g[i]);
}

static void gives_way(quoit_fn fn, const char *what)
{
    uint64_t before = in_the_middle();

    do
        beside(fn, MANY);
    while (in_the_middle() == before);
    ok(true, "%s gives way", what);
}

/* Foreign frames lie in between. There is no call in the loop. */
static void not_in_callbacks(void)
{
    uint64_t before = stats().preempts[1];

    beside(sorts, MANY);
    is_int((int)(stats().preempts[1] - before), 0, "nobody gives way in a callback of libc");
}

static void right_sums(void)
{
    uint64_t want, found[MANY];
    struct quoit_g *g[MANY];
    uint64_t before = in_the_middle();
    int wrong = 0;

    sums(&want);
    do {
        for (int i = 0; i < MANY; i++)
            g[i] = world_go_apart(sums, &found[i]);
        for (int i = 0; i < MANY; i++) {
            world_join(g[i]);
            wrong += found[i] != want;
        }
    } while (in_the_middle() == before);
    is_int(wrong, 0, "what was computed in between is right");
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
    gives_way(calls, "without signals a loop with calls");
    is_int((int)stats().signals, 0, "and there was none");
    return 0;
}

static int body(void *arg)
{
    (void)arg;
    gives_way(calls, "a loop with calls");
    gives_way(loops, "a loop without calls");
    not_in_callbacks();
    right_sums();
    keep_their_threads(holds, "across a wait");
    keep_their_threads(holds_and_computes, "and across a long computation");
    return 7;
}

int main(void)
{
    if (world_is_slow())
        skip_all("sanitizers and valgrind deliver signals when they like");
    is_int(quoit_main(all_behave, NULL), 0, "nothing is wrong without work");
    setenv("QUOIT_QUANTUM", "2ms", 1);
    is_int(quoit_main(body, NULL), 7, "the program ends");
    setenv("GODEBUG", "asyncpreemptoff=1", 1);
    is_int(quoit_main(without_signals, NULL), 0, "and so does one without signals");
    return done_testing();
}
