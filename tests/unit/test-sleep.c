/* SPDX-License-Identifier: BSD-3-Clause
 * test-sleep.c - which of wake-up and deadline a wait takes, in every order, by hand
 *
 * Deadlines are hours away and the clock is what the test says, so nothing fires by itself.
 */
#include "fail.h"
#include "proc.h"
#include "tap.h"
#include "timer.h"
#include "world.h"

#include <errno.h>
#include <limits.h>

static const int64_t hour = INT64_C(3600000000000);
static const int64_t never = INT64_MAX - 1;

static void yields(int n)
{
    for (int i = 0; i < n; i++)
        quoit_yield();
}

static void time_passes_until(int64_t now)
{
    struct m *mp = enter();

    while (timers_run(mp, mp->p, now) > 0)
        ;
    leave(mp);
}

/* The deadline of all that wait comes now; they run later. */
static void time_passes(void)
{
    time_passes_until(never);
}

static int result;
static bool back;

static struct quoit_g *starts(quoit_fn fn, void *arg)
{
    struct quoit_g *g = world_go_apart(fn, arg);

    result = 99;
    back = false;
    yields(3);
    ok(!back, "it waits");
    return g;
}

static void comes_back(struct quoit_g *g, int want, const char *what)
{
    world_join(g);
    is_int(result, want, "%s", what);
}

static int back_with(int r)
{
    result = r;
    back = true;
    return 0;
}

static int sleeps(void *arg)
{
    (void)arg;
    return back_with(quoit_sleep(hour));
}

static void sleeping(void)
{
    struct quoit_g *g = starts(sleeps, NULL);

    ok(timers_next(m_get()->p) < INT64_MAX, "the deadline shows");
    time_passes();
    comes_back(g, 0, "a sleep ends when its time has come");
    is_int(timers_next(m_get()->p), INT64_MAX, "and no deadline is left");
}

static int waits(void *arg)
{
    return back_with(quoit_sema_wait_until(arg, world_now() + hour));
}

static void semaphore(void)
{
    quoit_sema s = QUOIT_SEMA_INIT;
    struct quoit_g *g = starts(waits, &s);

    quoit_sema_post(&s);
    comes_back(g, 0, "a post ends the wait");
    is_int(timers_next(m_get()->p), INT64_MAX, "and no deadline is left");
    g = starts(waits, &s);
    time_passes();
    comes_back(g, -ETIMEDOUT, "the deadline ends the wait");
    quoit_sema_post(&s);
    is_int(quoit_sema_trywait(&s), 0, "a later post is nobody's");
    g = starts(waits, &s);
    quoit_sema_post(&s);
    time_passes();
    comes_back(g, 0, "a post just before the deadline");
    g = starts(waits, &s);
    time_passes();
    quoit_sema_post(&s);
    comes_back(g, 0, "a post just after it, before the waiter runs, is not lost");
    is_int(quoit_sema_trywait(&s), -EAGAIN, "and given once");
}

static quoit_sema queue;

static int queues(void *deadline)
{
    return back_with(quoit_sema_wait_until(&queue, *(int64_t *)deadline));
}

/* Who has timed out leaves a queue in which others stay in order. */
static void in_the_middle(void)
{
    int64_t soon = world_now() + hour, late = soon + hour;
    struct quoit_g *g[5];

    for (int out = 0; out < 5; out++) {
        for (int i = 0; i < 5; i++)
            g[i] = starts(queues, i == out ? &soon : &late);
        time_passes_until(soon);
        world_join(g[out]);
        is_int(result, -ETIMEDOUT, "number %d of five leaves the queue", out);
        for (int i = 0; i < 5; i++) {
            if (i == out)
                continue;
            quoit_sema_post(&queue);
            world_join(g[i]);
            is_int(result, 0, "number %d is next", i);
        }
        is_int(quoit_sema_trywait(&queue), -EAGAIN, "nobody and nothing is left");
    }
}

static quoit_sema gate;

static int child(void *arg)
{
    (void)arg;
    quoit_sema_wait(&gate);
    return 42;
}

static int joins(void *g)
{
    int r = 0, e = quoit_join_until(g, &r, world_now() + hour);

    return back_with(e == 0 ? r : e);
}

static void joining(void)
{
    struct quoit_g *c = world_go_apart(child, NULL), *g;

    is_int(quoit_join_until(c, NULL, 0), -ETIMEDOUT, "a look at one that runs");
    g = starts(joins, c);
    time_passes();
    comes_back(g, -ETIMEDOUT, "the deadline of a join");
    g = starts(joins, c);
    quoit_sema_post(&gate);
    comes_back(g, 42, "joined again, and its end");
    c = world_go_apart(child, NULL);
    g = starts(joins, c);
    time_passes();
    quoit_sema_post(&gate);
    comes_back(g, 42, "the end comes after the deadline, before the joiner runs");
    c = world_go_apart(child, NULL);
    quoit_sema_post(&gate);
    yields(5);
    is_int(quoit_join_until(c, NULL, 0), 0, "a look at one that has ended");
}

/* A list with room for one. */
static struct {
    struct quoit_g *g;
    bool keep; /* unlock says no */
} list;

static int let_go(void *arg)
{
    (void)arg;
    return !list.keep;
}

static int leave_list(void *arg)
{
    bool there = list.g != NULL;

    (void)arg;
    list.g = NULL;
    return there;
}

static int parks(void *arg)
{
    list.g = quoit_self();
    return back_with(quoit_park_until(let_go, leave_list, NULL, "test",
                                      arg != NULL ? *(int64_t *)arg : world_now() + hour));
}

static struct quoit_g *take_from_list(void)
{
    struct quoit_g *g = list.g;

    list.g = NULL;
    return g;
}

static void parking(void)
{
    struct quoit_g *g = starts(parks, NULL), *taken;
    int64_t none = INT64_MAX;

    quoit_ready(take_from_list());
    comes_back(g, 0, "readied");
    g = starts(parks, NULL);
    time_passes();
    comes_back(g, -ETIMEDOUT, "withdrawn");
    ok(list.g == NULL, "by the user's own function");
    g = starts(parks, NULL);
    taken = take_from_list();
    time_passes();
    quoit_ready(taken);
    comes_back(g, 0, "readied after the deadline, before it runs");
    g = starts(parks, NULL);
    taken = take_from_list();
    time_passes();
    yields(5);
    ok(!back, "taken out of the list: the wake-up is waited for, past the deadline");
    quoit_ready(taken);
    comes_back(g, 0, "and comes");
    g = starts(parks, &none);
    quoit_ready(take_from_list());
    comes_back(g, 0, "without a deadline");
    list.keep = true;
    is_int(quoit_park_until(let_go, leave_list, NULL, NULL, world_now() + hour), 0,
           "unlock says no: not parked");
    is_int(timers_next(m_get()->p), INT64_MAX, "and no deadline is left");
    list.keep = false;
    is_int(quoit_park_until(NULL, leave_list, NULL, NULL, 1), -EINVAL, "who is to find it?");
    is_int(quoit_park_until(let_go, NULL, NULL, NULL, 1), -EINVAL, "who takes it out?");
}

/* ---- no memory for timers ------------------------------------------------------------------- */

static int sleeps_little(void *arg)
{
    int64_t since = world_now();

    (void)arg;
    quoit_sleep(3000000);
    return back_with(world_now() - since >= 3000000);
}

static int waits_little(void *arg)
{
    return back_with(quoit_sema_wait_until(arg, world_now() + 3000000));
}

static void without_memory(void)
{
    quoit_sema s = QUOIT_SEMA_INIT;
    struct quoit_g *g[3];
    int64_t hour_from_now = world_now() + hour;

    /* Stacks and records are there. */
    for (int i = 0; i < 3; i++)
        g[i] = world_go_apart(child, NULL);
    for (int i = 0; i < 3; i++)
        quoit_sema_post(&gate);
    for (int i = 0; i < 3; i++)
        world_join(g[i]);
    timers_fini(&m_get()->p->timers);
    fail_from(FAIL_MMAP, 1, INT_MAX, ENOMEM);
    world_join(world_go_apart(sleeps_little, NULL));
    is_int(result, 1, "no memory: a sleep is as long as ever");
    world_join(world_go_apart(waits_little, &s));
    is_int(result, -ETIMEDOUT, "a wait ends at its deadline");
    g[0] = starts(waits, &s);
    quoit_sema_post(&s);
    comes_back(g[0], 0, "or by a post");
    g[0] = starts(parks, &hour_from_now);
    quoit_ready(take_from_list());
    comes_back(g[0], 0, "and one that was parked is readied");
    list.keep = true;
    is_int(quoit_park_until(let_go, leave_list, NULL, NULL, world_now() + hour), 0,
           "unlock says no");
    list.keep = false;
    ok(fail_count(FAIL_MMAP) > 0, "there was none");
    fail_never();
}

static int all(void *arg)
{
    (void)arg;
    sleeping();
    semaphore();
    in_the_middle();
    joining();
    parking();
    without_memory();
    return 0;
}

int main(void)
{
    is_int(world_run(1, all, NULL), 0, "ends");
    return done_testing();
}
