/* SPDX-License-Identifier: BSD-3-Clause
 * test-timer.c - the heap of deadlines: order, room, and no room
 */
#include "timer.h"

#include "fail.h"
#include "proc.h"
#include "tap.h"
#include "world.h"

#include <errno.h>
#include <limits.h>

enum { MANY = 20000 };

static const int64_t hour = INT64_C(3600000000000);
static const int64_t never = INT64_MAX - 1;

static struct m m;
static struct p p;

struct entry {
    struct timer timer;
    int64_t when;
    int number; /* in the order of adding */
    bool gone;
};

static struct entry entry[MANY], *fired[MANY];
static int nfired;

static struct quoit_g *fires(struct timer *t)
{
    fired[nfired++] = container_of(t, struct entry, timer);
    return NULL;
}

static void add(int i, int64_t when)
{
    entry[i] = (struct entry){ .timer.fire = fires, .when = when, .number = i };
    if (timer_add(&m, &entry[i].timer, when) != 0)
        bail("no memory for a timer");
}

static void run_until(int64_t now)
{
    while (timers_run(&m, &p, now) > 0)
        ;
}

static void fresh(void)
{
    timers_fini(&p.timers);
    m.p = &p;
    nfired = 0;
}

static bool in_order(void)
{
    for (int i = 1; i < nfired; i++) {
        const struct entry *a = fired[i - 1], *b = fired[i];

        if (a->when > b->when || (a->when == b->when && a->number > b->number)) {
            diag("%d (%lld) came before %d (%lld)", a->number, (long long)a->when, b->number,
                 (long long)b->when);
            return false;
        }
    }
    return true;
}

static void empty_one(void)
{
    fresh();
    is_int(timers_next(&p), INT64_MAX, "a fresh heap has no deadline");
    is_int(timers_run(&m, &p, never), 0, "and nothing is due");
    is_int(timers_look(&m, &p), 0, "whoever looks");
}

static void first_comes_first(void)
{
    fresh();
    add(0, 30);
    is_int(timers_next(&p), 30, "the only one is the next");
    add(1, 10);
    add(2, 20);
    is_int(timers_next(&p), 10, "an earlier one is");
    is_int(timers_run(&m, &p, 9), 0, "nothing before its time");
    is_int(timers_run(&m, &p, 10), 1, "at its time");
    is_int(timers_next(&p), 20, "then the following");
    is_int(timers_run(&m, &p, 100), 2, "all that is due");
    is_int(timers_next(&p), INT64_MAX, "then none");
    ok(in_order(), "in order");
}

static void equal_ones(void)
{
    fresh();
    for (int i = 0; i < 500; i++)
        add(i, 7 + i % 2);
    run_until(never);
    is_int(nfired, 500, "all of many with few deadlines");
    ok(in_order(), "equal ones in the order of adding");
}

static void looked_at(void)
{
    fresh();
    add(0, nanotime() + hour);
    is_int(timers_look(&m, &p), 0, "a look fires nothing that is to come");
    add(1, 1);
    is_int(timers_look(&m, &p), 1, "and what is due by the clock");
    timer_del(&entry[0].timer);
}

/* Every third is taken out again, some while others fire. */
static void at_random(void)
{
    uint64_t dice = 1;
    int gone = 0;
    bool right = true;

    fresh();
    for (int i = 0; i < MANY; i++)
        add(i, 1 + world_rand(&dice) % 5000);
    for (int i = 0; i < MANY; i++) {
        struct entry *e = &entry[world_rand(&dice) % MANY];

        if (i == MANY / 2)
            run_until(1000);
        if (i % 3 != 0)
            continue;
        if (e->timer.slot != TIMER_OUT) {
            e->gone = true;
            gone++;
        }
        timer_del(&e->timer);
    }
    run_until(never);
    for (int i = 0; i < nfired; i++)
        right = right && !fired[i]->gone;
    is_int(nfired + gone, MANY, "each fires or is taken out (%d)", gone);
    ok(right, "never both");
    ok(in_order(), "in order");
}

static void room_follows(void)
{
    uint32_t most;

    fresh();
    for (int i = 0; i < MANY; i++)
        add(i, MANY - i);
    most = p.timers.room;
    ok(most >= MANY && most < 4 * MANY, "room for %d: %u", MANY, most);
    run_until(MANY - 10);
    ok(p.timers.room <= most / 64, "given back when they have fired: %u", p.timers.room);
    run_until(never);
    is_int(nfired, MANY, "none was lost on the way");
    ok(in_order(), "nor misplaced");
}

static void batches(void)
{
    int n;

    fresh();
    for (int i = 0; i < 1000; i++)
        add(i, 5);
    n = timers_run(&m, &p, 5);
    ok(n > 0 && n < 1000, "a thousand due at once come in batches (%d)", n);
    is_int(timers_next(&p), 5, "and the rest shows as due");
    run_until(5);
    is_int(nfired, 1000, "all of them in the end");
}

static void no_memory(void)
{
    int i = 0, e;

    fresh();
    fail_from(FAIL_MMAP, 1, INT_MAX, ENOMEM);
    entry[0].timer.fire = fires;
    errno = 77;
    is_int(timer_add(&m, &entry[0].timer, 5), -ENOMEM, "no memory for the first");
    is_int(errno, 77, "errno is left alone");
    is_int(timers_next(&p), INT64_MAX, "nothing was done");
    fail_never();
    add(i++, 5);
    fail_from(FAIL_MMAP, 1, INT_MAX, ENOMEM);
    do
        entry[i] = (struct entry){ .timer.fire = fires, .when = 5, .number = i };
    while ((e = timer_add(&m, &entry[i].timer, 5)) == 0 && ++i < MANY);
    is_int(e, -ENOMEM, "nor for more than there is room for (%d)", i);
    run_until(5);
    is_int(nfired, i, "those that are in fire");
    fail_never();
    fresh();
    for (i = 0; i < 5000; i++)
        add(i, 5);
    fail_from(FAIL_MMAP, 1, INT_MAX, ENOMEM);
    run_until(5);
    fail_never();
    is_int(nfired, 5000, "without memory for less room it stays as large");
}

int main(void)
{
    empty_one();
    first_comes_first();
    equal_ones();
    looked_at();
    at_random();
    room_follows();
    batches();
    no_memory();
    timers_fini(&p.timers);
    return done_testing();
}
