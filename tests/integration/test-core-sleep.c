/* SPDX-License-Identifier: BSD-3-Clause
 * test-core-sleep.c - time as programs see it: sleeps, and waits that end at a deadline
 *
 * How late something may be is no property of a test: the bounds are those of a machine that is
 * busy with a hundred other things. That nothing is early is exact.
 */
#include "quoit.h"

#include "tap.h"
#include "world.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

enum { SLEEPERS = 1000 };

static const int64_t ms = 1000000, patience = INT64_C(30000000000);

/* ---- sleep ---------------------------------------------------------------------------------- */

static void one_sleeps(void)
{
    static const int64_t lengths[] = { 1, 1000, 100000, 5000000 };

    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        int64_t since = world_now(), took;

        is_int(quoit_sleep(lengths[i]), 0, "a sleep of %lld ns", (long long)lengths[i]);
        took = world_now() - since;
        ok(took >= lengths[i], "is no shorter (%lld)", (long long)took);
        ok(took < patience, "and ends");
    }
    is_int(quoit_sleep(0), 0, "no time at all");
    is_int(quoit_sleep(-5), 0, "a time in the past");
    is_int(quoit_sleep(INT64_MIN), 0, "the longest one");
}

struct sleeper {
    int64_t ns, took;
};

static quoit_wg asleep;

static int sleeps(void *arg)
{
    struct sleeper *s = arg;
    int64_t since = world_now();

    quoit_sleep(s->ns);
    s->took = world_now() - since;
    quoit_wg_done(&asleep);
    return 0;
}

static void many_sleep(void)
{
    struct sleeper *s = calloc(SLEEPERS, sizeof *s);
    int early = 0, late = 0;
    uint64_t dice = 7;

    quoit_wg_add(&asleep, SLEEPERS);
    for (int i = 0; i < SLEEPERS; i++) {
        s[i].ns = 1 + world_rand(&dice) % (20 * ms);
        world_spawn(sleeps, &s[i]);
    }
    quoit_wg_wait(&asleep);
    for (int i = 0; i < SLEEPERS; i++) {
        early += s[i].took < s[i].ns;
        late += s[i].took > patience;
    }
    is_int(early, 0, "of %d sleepers nobody wakes early", SLEEPERS);
    is_int(late, 0, "and nobody is forgotten");
    free(s);
}

static int computes(void *stop)
{
    while (!__atomic_load_n((int *)stop, __ATOMIC_RELAXED))
        quoit_yield();
    return 0;
}

/* Those that are always ready do not keep time from passing. */
static void beside_busy_ones(void)
{
    int n = world_procs() + 1, stop = 0;
    struct quoit_g **busy = calloc((size_t)n, sizeof *busy);
    int64_t since = world_now();

    for (int i = 0; i < n; i++)
        busy[i] = world_go_apart(computes, &stop);
    for (int i = 0; i < 10; i++)
        quoit_sleep(ms);
    ok(world_now() - since < patience, "sleeps end while all P's are busy");
    __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
    for (int i = 0; i < n; i++)
        world_join(busy[i]);
    free(busy);
}

/* ---- waits ---------------------------------------------------------------------------------- */

static int waits(void *arg)
{
    quoit_sema_wait(arg);
    return 5;
}

static int posts_later(void *arg)
{
    quoit_sleep(ms);
    quoit_sema_post(arg);
    return 0;
}

static void semaphore(void)
{
    quoit_sema s = QUOIT_SEMA_INIT;
    struct quoit_g *g;
    int64_t deadline;

    is_int(quoit_sema_wait_until(&s, 0), -ETIMEDOUT, "a deadline long past");
    is_int(quoit_sema_wait_until(&s, INT64_MIN), -ETIMEDOUT, "or before all times");
    deadline = world_now() + ms;
    is_int(quoit_sema_wait_until(&s, deadline), -ETIMEDOUT, "nobody posts");
    ok(world_now() >= deadline, "and not early");
    quoit_sema_post(&s);
    is_int(quoit_sema_wait_until(&s, 0), 0, "what is there is taken, whatever the time");
    g = world_go_apart(posts_later, &s);
    is_int(quoit_sema_wait_until(&s, world_now() + patience), 0, "posted in time");
    world_join(g);
    g = world_go_apart(posts_later, &s);
    is_int(quoit_sema_wait_until(&s, INT64_MAX), 0, "no deadline at all");
    world_join(g);
    is_int(quoit_sema_trywait(&s), -EAGAIN, "nothing is left over");
}

static int quick(void *arg)
{
    (void)arg;
    return 3;
}

static void joining(void)
{
    quoit_sema s = QUOIT_SEMA_INIT;
    struct quoit_g *g = world_go(waits, &s);
    int64_t deadline = world_now() + ms;
    int r = 0;

    is_int(quoit_join_until(g, &r, deadline), -ETIMEDOUT, "a child that waits");
    ok(world_now() >= deadline, "and not early");
    is_int(quoit_join_until(g, &r, deadline), -ETIMEDOUT, "once more");
    quoit_sema_post(&s);
    is_int(quoit_join_until(g, &r, world_now() + patience), 0, "it ends in time");
    is_int(r, 5, "with its result");
    g = world_go(quick, NULL);
    is_int(quoit_join_until(g, NULL, world_now() + patience), 0, "a child that had not started");
    g = world_go(quick, NULL);
    is_int(quoit_join_until(g, &r, INT64_MAX), 0, "no deadline at all");
    is_int(r, 3, "and a result");
    is_int(quoit_join_until(quoit_self(), NULL, INT64_MAX), -EDEADLK, "oneself");
    is_int(quoit_join_until(NULL, NULL, 0), -EINVAL, "nobody");
}

/* ---- threads that are not ours -------------------------------------------------------------- */

static void *thread_waits(void *arg)
{
    quoit_sema *s = arg;
    int64_t since = world_now(), deadline;

    is_int(quoit_sleep(ms), 0, "a thread sleeps");
    ok(world_now() - since >= ms, "long enough");
    is_int(quoit_sleep(-1), 0, "or not at all");
    deadline = world_now() + ms;
    is_int(quoit_sema_wait_until(&s[0], deadline), -ETIMEDOUT, "a thread waits in vain");
    ok(world_now() >= deadline, "long enough");
    quoit_sema_post(&s[1]);
    is_int(quoit_sema_wait_until(&s[0], world_now() + patience), 0, "and is posted to");
    quoit_sema_post(&s[1]);
    return NULL;
}

static void threads(void)
{
    quoit_sema s[2] = { QUOIT_SEMA_INIT, QUOIT_SEMA_INIT };
    pthread_t t;

    if (pthread_create(&t, NULL, thread_waits, s) != 0)
        bail("no thread");
    quoit_sema_wait(&s[1]);
    quoit_sema_post(&s[0]);
    is_int(quoit_sema_wait_until(&s[1], world_now() + patience), 0, "a thread posts");
    pthread_join(t, NULL);
}

static int all(void *arg)
{
    (void)arg;
    one_sleeps();
    many_sleep();
    beside_busy_ones();
    semaphore();
    joining();
    threads();
    return 0;
}

int main(void)
{
    is_int(world_run(0, all, NULL), 0, "ends");
    return done_testing();
}
