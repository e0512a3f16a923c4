/* SPDX-License-Identifier: BSD-3-Clause
 * test-core-giveway.c - who has computed for a quantum gives way at its calls, unless it forbids it
 */
#include "quoit.h"

#include "tap.h"
#include "world.h"

#include <errno.h>
#include <stdbool.h>

enum { SHORT_NS = 1000000, LONG_NS = 30000000, MOST = 64 };

static int stop, others_ran, lost_errno;

static bool is_set(int *what)
{
    return __atomic_load_n(what, __ATOMIC_SEQ_CST) != 0;
}

static void set(int *what, int value)
{
    __atomic_store_n(what, value, __ATOMIC_SEQ_CST);
}

static __attribute__((noinline)) int errno_now(void)
{
    return errno;
}

static __attribute__((noinline)) void errno_set(int e)
{
    errno = e;
}

static uint64_t gave_way(void)
{
    struct quoit_stats st = { .size = sizeof st };

    quoit_stats(&st);
    return st.preempts[0];
}

static void spin(void)
{
    for (int64_t until = world_now() + LONG_NS; world_now() < until;)
        ;
}

static int runs(void *arg)
{
    (void)arg;
    set(&others_ran, 1);
    return 0;
}

/* ---- at a call ------------------------------------------------------------------------------ */

/* None of what it calls waits. */
static int never_waits(void *arg)
{
    int lost = 0;

    (void)arg;
    while (!is_set(&stop)) {
        errno_set(EXDEV);
        quoit_pin();
        quoit_unpin();
        lost += errno_now() != EXDEV;
    }
    __atomic_fetch_add(&lost_errno, lost, __ATOMIC_RELAXED);
    return 0;
}

static void at_a_call(void)
{
    struct quoit_g *g[MOST];
    int n = world_procs();

    set(&stop, 0);
    for (int i = 0; i < n; i++)
        g[i] = world_go_apart(never_waits, NULL);
    while (gave_way() == 0)
        quoit_sleep(SHORT_NS);
    set(&stop, 1);
    for (int i = 0; i < n; i++)
        world_join(g[i]);
    ok(true, "who calls Quoit gives way at a call");
    is_int(lost_errno, 0, "and keeps its errno");
}

static void at_a_point(void)
{
    set(&others_ran, 0);
    world_spawn(runs, NULL);
    while (!is_set(&others_ran))
        quoit_preempt_point();
    ok(true, "a point in a loop is enough");
}

/* ---- forbidden ------------------------------------------------------------------------------ */

static void may_wait(void)
{
    set(&others_ran, 0);
    quoit_preempt_disable();
    world_join(world_go_apart(runs, NULL));
    quoit_preempt_enable();
    ok(is_set(&others_ran), "who forbids it may wait all the same");
}

/* On the only P another one waits. Whether it was asked meanwhile depends on the machine: so it is
 * done again until it was. */
static void when_it_allows_it(void)
{
    bool between = false;

    set(&others_ran, 0);
    world_spawn(runs, NULL);
    while (!is_set(&others_ran)) {
        bool before;

        quoit_preempt_disable();
        before = is_set(&others_ran);
        quoit_preempt_disable();
        spin();
        quoit_preempt_point();
        quoit_preempt_enable();
        quoit_preempt_point();
        between |= is_set(&others_ran) != before;
        quoit_preempt_enable();
    }
    ok(!between, "who forbids it does not give way until it allows it again");
}

static void when_it_unpins(void)
{
    bool between = false;

    set(&others_ran, 0);
    world_spawn(runs, NULL);
    while (!is_set(&others_ran)) {
        bool before;

        quoit_pin();
        before = is_set(&others_ran);
        spin();
        between |= is_set(&others_ran) != before;
        quoit_unpin();
    }
    ok(!between, "and one that was pinned does when it is no more");
}

static int body(void *arg)
{
    (void)arg;
    at_a_call();
    at_a_point();
    may_wait();
    if (world_procs() > 1) {
        skip("others run on other P's");
        return 7;
    }
    when_it_allows_it();
    when_it_unpins();
    return 7;
}

int main(void)
{
    is_int(quoit_main(body, NULL), 7, "the program ends");
    return done_testing();
}
