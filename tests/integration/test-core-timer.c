/* SPDX-License-Identifier: BSD-3-Clause
 * test-core-timer.c - calls at a time: none early, none lost, none after a stop that was in time
 */
#include "quoit.h"

#include "tap.h"
#include "world.h"

#include <errno.h>
#include <stdlib.h>

enum { MANY = 2000 };

static const int64_t ms = 1000000, hour = INT64_C(3600000000000);

static struct quoit_timer *make(quoit_fn fn, void *arg)
{
    struct quoit_timer *t = quoit_timer_new(fn, arg);

    if (t == NULL)
        bail("no memory for a timer");
    return t;
}

/* ---- one call ------------------------------------------------------------------------------- */

struct one {
    struct quoit_timer *t;
    quoit_sema called;
    int64_t when;
    uint64_t id;
    int calls;
};

static int called(void *arg)
{
    struct one *o = arg;

    o->when = world_now();
    o->id = quoit_goid();
    o->calls++;
    quoit_sema_post(&o->called);
    return 0;
}

static void once(void)
{
    static const int64_t lengths[] = { INT64_MIN, 0, 1, 100000, 5000000 };
    struct one o = { .calls = 0 };

    o.t = make(called, &o);
    is_int(quoit_timer_stop(o.t), 0, "nothing is to come of a timer that was not started");
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        int64_t since = world_now();

        is_int(quoit_timer_start(o.t, lengths[i], 0), 0, "in %lld ns", (long long)lengths[i]);
        quoit_sema_wait(&o.called);
        ok(o.when - since >= lengths[i] || lengths[i] < 0, "no earlier");
    }
    is_int(o.calls, 5, "one call each");
    ok(o.id != 0 && o.id != quoit_goid(), "in a goroutine of its own");
    is_int(quoit_timer_stop(o.t), 0, "and none is to come");
    is_int(quoit_timer_start(o.t, hour, 0), 0, "one that is far away");
    is_int(quoit_timer_start(o.t, 2 * hour, 0), 1, "is put off");
    is_int(quoit_timer_stop(o.t), 1, "and stopped");
    is_int(quoit_timer_stop(o.t), 0, "once");
    is_int(quoit_timer_start(o.t, INT64_MAX, 0), 0, "one that never comes");
    is_int(quoit_timer_start(o.t, 0, 0), 1, "comes now");
    quoit_sema_wait(&o.called);
    is_int(o.calls, 6, "once");
    quoit_timer_start(o.t, hour, 0);
    quoit_timer_free(o.t);
}

static void wrong(void)
{
    struct quoit_timer *t = make(NULL, NULL);

    is_int(quoit_timer_start(t, 0, 0), -EINVAL, "no function");
    quoit_timer_free(t);
    t = make(called, NULL);
    is_int(quoit_timer_start(t, 0, -1), -EINVAL, "a period below nothing");
    quoit_timer_free(t);
    is_int(quoit_timer_start(NULL, 0, 0), -EINVAL, "no timer to start");
    is_int(quoit_timer_stop(NULL), -EINVAL, "or to stop");
    quoit_timer_free(NULL);
}

static void not_a_goroutine(void)
{
    struct one o = { .calls = 0 };
    int before = quoit_num_goroutine();

    o.t = make(called, &o);
    quoit_timer_start(o.t, hour, 0);
    is_int(quoit_num_goroutine(), before, "a call that is to come is no goroutine");
    quoit_timer_free(o.t);
}

/* ---- many ----------------------------------------------------------------------------------- */

static struct many {
    struct quoit_timer *t;
    int64_t due;
    int calls;
    bool early, stopped;
} many[MANY];

static quoit_wg to_come;

static int one_of_many(void *arg)
{
    struct many *m = arg;

    m->early = world_now() < m->due;
    __atomic_fetch_add(&m->calls, 1, __ATOMIC_RELAXED);
    quoit_wg_done(&to_come);
    return 0;
}

static int stops(void *arg)
{
    int first = *(int *)arg;

    for (int i = first; i < MANY; i += 2) {
        if (i % 16 < 2)
            quoit_yield();
        many[i].stopped = quoit_timer_stop(many[i].t) == 1;
        if (many[i].stopped)
            quoit_wg_done(&to_come);
    }
    return 0;
}

/* Stops come about when calls do; each is one or the other. */
static void stop_or_call(void)
{
    int numbers[] = { 0, 1 }, n = world_rounds(10), wrong_ones = 0, early = 0, stopped = 0;
    struct quoit_g *g[2];
    uint64_t dice = world_seed();

    for (int i = 0; i < MANY; i++)
        many[i].t = make(one_of_many, &many[i]);
    for (int round = 0; round < n; round++) {
        quoit_wg_add(&to_come, MANY);
        for (int i = 0; i < MANY; i++) {
            int64_t ns = world_rand(&dice) % (4 * ms);

            many[i].calls = 0;
            many[i].due = world_now() + ns;
            if (quoit_timer_start(many[i].t, ns, 0) != 0)
                bail("a timer does not start");
        }
        for (int i = 0; i < 2; i++)
            g[i] = world_go(stops, &numbers[i]);
        for (int i = 0; i < 2; i++)
            world_join(g[i]);
        quoit_wg_wait(&to_come);
        for (int i = 0; i < MANY; i++) {
            wrong_ones += many[i].calls + many[i].stopped != 1;
            early += many[i].early;
            stopped += many[i].stopped;
        }
    }
    diag("%d of %d were stopped", stopped, n * MANY);
    is_int(wrong_ones, 0, "each is called or stopped, never both");
    is_int(early, 0, "and none is early");
    for (int i = 0; i < MANY; i++)
        quoit_timer_free(many[i].t);
}

/* ---- rows ----------------------------------------------------------------------------------- */

struct row {
    struct quoit_timer *t;
    quoit_sema ended;
    int64_t began, last, period;
    int calls, inside, most, off_beat, early;
    bool slow;
};

/* Ten calls; how they lie to each other is noted. */
static int in_a_row(void *arg)
{
    struct row *r = arg;
    int64_t now = world_now();

    r->most += __atomic_add_fetch(&r->inside, 1, __ATOMIC_RELAXED) > 1;
    r->early += now < r->began + (r->calls + 1) * r->period;
    r->last = now;
    if (r->slow)
        quoit_sleep(r->period * 5 / 2);
    __atomic_sub_fetch(&r->inside, 1, __ATOMIC_RELAXED);
    if (++r->calls < 10)
        return 0;
    quoit_sema_post(&r->ended);
    return 1;
}

static void rows(bool slow)
{
    struct row r = { .period = ms / 4, .slow = slow };

    r.t = make(in_a_row, &r);
    r.began = world_now();
    is_int(quoit_timer_start(r.t, r.period, r.period), 0, "a row of calls%s",
           slow ? " that take longer than the period" : "");
    quoit_sema_wait(&r.ended);
    is_int(r.most, 0, "never two at once");
    is_int(r.early, 0, "and none early");
    if (slow)
        ok(r.last - r.began >= 28 * r.period, "what was missed is left out");
    quoit_sleep(3 * r.period);
    is_int(r.calls, 10, "the one that returns 1 is the last");
    is_int(quoit_timer_stop(r.t), 0, "and nothing is to come");
    quoit_timer_free(r.t);
}

static int until_told(void *arg)
{
    quoit_sema_post(arg);
    return 0;
}

static void stopped_row(void)
{
    quoit_sema s = QUOIT_SEMA_INIT;
    struct quoit_timer *t = make(until_told, &s);
    int alone = quoit_num_goroutine();

    quoit_timer_start(t, 0, ms / 4);
    for (int i = 0; i < 5; i++)
        quoit_sema_wait(&s);
    quoit_timer_stop(t);
    /* One may have begun before the stop. */
    while (quoit_num_goroutine() > alone)
        quoit_yield();
    while (quoit_sema_trywait(&s) == 0)
        ;
    is_int(quoit_sema_wait_until(&s, world_now() + ms), -ETIMEDOUT, "a row that is stopped ends");
    is_int(quoit_timer_start(t, 0, hour), 0, "and can be started again");
    quoit_sema_wait(&s);
    quoit_timer_free(t);
}

/* ---- from its own call ---------------------------------------------------------------------- */

struct own {
    struct quoit_timer *t;
    quoit_sema done;
    int calls, was;
};

static int starts_itself(void *arg)
{
    struct own *o = arg;

    if (++o->calls < 100)
        o->was += quoit_timer_start(o->t, 1000, 0);
    else
        quoit_sema_post(&o->done);
    return 0;
}

static int frees_itself(void *arg)
{
    struct own *o = arg;

    quoit_timer_free(o->t);
    quoit_sema_post(&o->done);
    return 0;
}

static void from_inside(void)
{
    struct own o = { .calls = 0 };

    o.t = make(starts_itself, &o);
    quoit_timer_start(o.t, 0, 0);
    quoit_sema_wait(&o.done);
    is_int(o.calls, 100, "a call starts the next");
    is_int(o.was, 0, "which was not started");
    quoit_timer_free(o.t);
    for (int i = 0; i < 100; i++) {
        o.t = make(frees_itself, &o);
        quoit_timer_start(o.t, 0, i % 2);
        quoit_sema_wait(&o.done);
    }
    ok(true, "a call frees its timer, one of a row too");
}

/* ---- beside those that compute -------------------------------------------------------------- */

static int32_t stop_computing;

static int computes(void *arg)
{
    while (!__atomic_load_n(&stop_computing, __ATOMIC_RELAXED))
        quoit_yield();
    return arg != NULL;
}

static void beside_busy_ones(void)
{
    int n = world_procs() + 1;
    struct quoit_g **busy = calloc((size_t)n, sizeof *busy);
    struct row r = { .period = ms };

    for (int i = 0; i < n; i++)
        busy[i] = world_go_apart(computes, NULL);
    r.t = make(in_a_row, &r);
    r.began = world_now();
    quoit_timer_start(r.t, r.period, r.period);
    quoit_sema_wait(&r.ended);
    is_int(r.calls, 10, "a row goes on while all P's are busy");
    __atomic_store_n(&stop_computing, 1, __ATOMIC_RELAXED);
    for (int i = 0; i < n; i++)
        world_join(busy[i]);
    quoit_timer_free(r.t);
    free(busy);
}

static int says_one(void *arg)
{
    return arg == NULL;
}

/* The end of quoit_main leaves it, and the next start knows nothing of it. */
static int leaves_one(void *arg)
{
    struct quoit_timer **t = arg;

    *t = make(says_one, NULL);
    return quoit_timer_start(*t, ms, 0);
}

static int all(void *arg)
{
    (void)arg;
    once();
    wrong();
    not_a_goroutine();
    stop_or_call();
    rows(false);
    rows(true);
    stopped_row();
    from_inside();
    beside_busy_ones();
    return 0;
}

int main(void)
{
    static struct quoit_timer *left[3];

    is_int(world_run(0, all, NULL), 0, "ends");
    for (int i = 0; i < 3; i++)
        is_int(world_run(0, leaves_one, &left[i]), 0, "ends beside one that is started");
    return done_testing();
}
