/* SPDX-License-Identifier: BSD-3-Clause
 * test-alarm.c - what a timer has while it is armed, in every order, by hand, and without memory
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

enum { ROOM = 128 };

static const int64_t hour = INT64_C(3600000000000);
static const int64_t never = INT64_MAX - 1;

static void time_passes(void)
{
    struct m *mp = enter();

    while (timers_run(mp, mp->p, never) > 0)
        ;
    leave(mp);
}

static struct quoit_timer *make(quoit_fn fn, void *arg)
{
    struct quoit_timer *t = quoit_timer_new(fn, arg);

    if (t == NULL)
        bail("no memory for a timer");
    return t;
}

static int calls;
static quoit_sema go_on;

static int counts(void *arg)
{
    calls++;
    return arg != NULL;
}

static int waits(void *arg)
{
    calls++;
    quoit_sema_wait(arg);
    return 0;
}

static uint64_t spawned(void)
{
    struct quoit_stats st = { .size = sizeof st };

    quoit_stats(&st);
    return st.spawned;
}

static void born_by_the_deadline(void)
{
    struct quoit_timer *t = make(counts, NULL);
    uint64_t before = spawned();
    struct quoit_g *spare;

    quoit_timer_start(t, hour, 0);
    quoit_timer_stop(t);
    spare = m_get()->p->gfree.top;
    for (int i = 0; i < 1000; i++) {
        quoit_timer_start(t, hour, 0);
        quoit_timer_stop(t);
    }
    ok(m_get()->p->gfree.top == spare, "its record is used again and again");
    is_int((long long)(spawned() - before), 0, "nobody was born");
    quoit_timer_start(t, hour, 0);
    /* This turn may be over by now, on a slow machine. */
    quoit_preempt_disable();
    time_passes();
    is_int((long long)(spawned() - before), 1, "the deadline gives birth");
    is_int(quoit_timer_stop(t), 0, "there is nothing to stop then");
    is_int(calls, 0, "it has to wait for its turn");
    quoit_preempt_enable();
    quoit_yield();
    is_int(calls, 1, "and runs");
    quoit_timer_start(t, hour, 0);
    quoit_timer_free(t);
    is_int(timers_next(m_get()->p), INT64_MAX, "a timer that is freed leaves no deadline");
}

static void beside_a_call(void)
{
    struct quoit_timer *t = make(waits, &go_on);

    calls = 0;
    quoit_timer_start(t, hour, hour);
    time_passes();
    quoit_yield();
    is_int(calls, 1, "a call of a row waits");
    time_passes();
    quoit_yield();
    is_int(calls, 1, "and there is no other one meanwhile");
    is_int(quoit_timer_start(t, hour, hour), 0, "unless it is started again");
    time_passes();
    quoit_yield();
    is_int(calls, 2, "then they overlap");
    quoit_sema_post(&go_on);
    quoit_sema_post(&go_on);
    quoit_yield();
    quoit_yield();
    time_passes();
    quoit_yield();
    is_int(calls, 3, "but one row comes out of it");
    quoit_timer_free(t);
    quoit_sema_post(&go_on);
    quoit_yield();
    is_int(timers_next(m_get()->p), INT64_MAX, "which ends with the timer");
}

static void no_memory(void)
{
    struct quoit_timer *t[ROOM], *row = make(waits, &go_on), *more = make(counts, NULL);
    int e = 0;

    calls = 0;
    quoit_timer_start(row, hour, hour);
    time_passes();
    quoit_yield();
    for (int i = 0; i < ROOM; i++) {
        t[i] = make(counts, NULL);
        e |= quoit_timer_start(t[i], hour, 0);
    }
    is_int(e, 0, "as many as there is room for");
    fail_from(FAIL_MMAP, 1, INT_MAX, ENOMEM);
    is_int(quoit_timer_start(more, hour, 0), -ENOMEM, "and no memory for more");
    is_int(quoit_timer_start(t[0], hour, 0), 1, "one that is there may be moved");
    fail_from(FAIL_MMAP, 1, INT_MAX, ENOMEM);
    quoit_sema_post(&go_on);
    while (fail_count(FAIL_MMAP) == 0)
        quoit_yield();
    is_int(calls, 1, "a row finds no room for its next call");
    fail_never();
    is_int(quoit_timer_start(more, hour, 0), 0, "what could not be started can be now");
    quoit_sema_post(&go_on);
    while (calls < 1 + ROOM + 1 + 1) {
        time_passes();
        quoit_yield();
    }
    ok(true, "and the row goes on");
    quoit_timer_free(row);
    quoit_timer_free(more);
    for (int i = 0; i < ROOM; i++)
        quoit_timer_free(t[i]);
}

static int all(void *arg)
{
    (void)arg;
    no_memory();
    calls = 0;
    born_by_the_deadline();
    beside_a_call();
    return 0;
}

int main(void)
{
    is_int(world_run(1, all, NULL), 0, "ends");
    return done_testing();
}
