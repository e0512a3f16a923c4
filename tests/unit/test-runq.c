/* SPDX-License-Identifier: BSD-3-Clause
 * test-runq.c - a P's own queue, as one thread sees it; and one property that takes two
 *
 * What several threads may see is for tests/model and tests/stress.
 */
#include "gmp.h"
#include "runq.h"
#include "tap.h"

#include <pthread.h>
#include <string.h>

static struct quoit_g *slots1[RUNQ_SIZE], *slots2[RUNQ_SIZE];
static struct runq q1, q2;
static struct quoit_g gs[RUNQ_SIZE];
static int seen[RUNQ_SIZE];
static bool alone; /* no thief can come: other steps, the same to see */

static void start_at(uint32_t end)
{
    q1 = (struct runq){.head = end, .tail = end, .slot = slots1, .alone = alone};
    q2 = (struct runq){.head = end, .tail = end, .slot = slots2, .alone = alone};
}

/* ---- put and get ---- */

/* Of every size up to a full ring: what goes in comes out, and nothing else. */
static bool fills_and_empties(uint32_t n)
{
    bool right = runq_get(&q1) == NULL && runq_empty(&q1);

    for (uint32_t i = 0; i < n; i++)
        right &= runq_put(&q1, &gs[i]);
    right &= runq_size(&q1) == n;
    for (uint32_t i = 0; i < n; i++)
        right &= runq_get(&q1) == &gs[i];
    return right && runq_get(&q1) == NULL && runq_empty(&q1);
}

static void first_in_first_out(uint32_t end, const char *where)
{
    bool right = true;

    start_at(end);
    for (uint32_t n = 0; n <= RUNQ_SIZE && right; n++)
        right = fills_and_empties(n);
    ok(right, "first_in_first_out, every size, %s", where);
}

static void full_is_full(void)
{
    bool right = true;

    start_at(0);
    for (uint32_t i = 0; i < RUNQ_SIZE; i++)
        right &= runq_put(&q1, &gs[i]);
    ok(right && !runq_put(&q1, &gs[0]), "full_is_full: one more is refused");
    ok(runq_get(&q1) == &gs[0] && runq_put(&q1, &gs[0]), "full_is_full: one out, one in");
}

/* ---- grab ---- */

static void mark(struct quoit_g *gp)
{
    seen[gp - gs]++;
}

/* Half, rounded up, goes over to the other queue; each one is somewhere once. */
static bool steals_half(uint32_t n)
{
    struct quoit_g *out[RUNQ_SIZE], *gp;
    uint32_t got;
    bool right = true;

    memset(seen, 0, sizeof seen);
    for (uint32_t i = 0; i < n; i++)
        runq_put(&q1, &gs[i]);
    got = runq_grab(&q1, out, RUNQ_SIZE);
    for (uint32_t i = 0; i < got; i++)
        runq_put(&q2, out[i]);
    while ((gp = runq_get(&q2)) != NULL)
        mark(gp);
    while ((gp = runq_get(&q1)) != NULL)
        mark(gp);
    for (uint32_t i = 0; i < n; i++)
        right &= seen[i] == 1;
    return right && got == n - n / 2;
}

static void grab_takes_half(uint32_t end, const char *where)
{
    bool right = true;

    start_at(end);
    for (uint32_t n = 0; n <= RUNQ_SIZE && right; n++)
        right = steals_half(n);
    ok(right, "grab_takes_half, every size, %s", where);
}

static void grab_takes_the_oldest(void)
{
    struct quoit_g *out[2];

    start_at(0);
    for (int i = 0; i < 8; i++)
        runq_put(&q1, &gs[i]);
    is_int(runq_grab(&q1, out, 2), 2, "grab_takes_the_oldest: no more than asked for");
    ok(out[0] == &gs[0] && out[1] == &gs[1] && runq_get(&q1) == &gs[2],
       "grab_takes_the_oldest: in order");
}

/* ---- next ---- */

static void next_is_apart(void)
{
    start_at(0);
    ok(runq_get_next(&q1) == NULL, "next_is_apart: empty");
    ok(runq_put_next(&q1, &gs[0]) == NULL && !runq_empty(&q1) && runq_size(&q1) == 0,
       "next_is_apart: not in the ring");
    ok(runq_put_next(&q1, &gs[1]) == &gs[0], "next_is_apart: the older one comes back");
    ok(!runq_grab_next(&q1, &gs[0]) && !runq_grab_next(&q1, NULL),
       "next_is_apart: a thief takes only what it saw");
    ok(runq_grab_next(&q1, &gs[1]) && runq_get_next(&q1) == NULL && runq_empty(&q1),
       "next_is_apart: and then it is gone");
}

/* ---- empty ---- */

enum { ROUNDS = 300000, LOOKS = 1000 };

static uint32_t stop, looks, falsely_empty;

static void *looker(void *arg unused_arg)
{
    while (!load_relaxed(&stop)) {
        falsely_empty += runq_empty(&q1);
        store_relaxed(&looks, looks + 1);
    }
    return NULL;
}

/* Two goroutines take turns; one of them is always in `next` or in the ring. */
static void never_falsely_empty(void)
{
    struct quoit_g *a = &gs[0], *b = &gs[1];
    pthread_t thread;

    start_at(0);
    runq_put_next(&q1, a);
    if (pthread_create(&thread, NULL, looker, NULL) != 0)
        bail("no thread to look at the queue");
    for (int i = 0; i < ROUNDS || load_relaxed(&looks) < LOOKS; i++) {
        runq_put(&q1, runq_put_next(&q1, b));
        runq_get_next(&q1);
        runq_put_next(&q1, b);
        runq_get(&q1);
        b = a;
        a = load_relaxed(&q1.next);
    }
    store_relaxed(&stop, 1);
    pthread_join(thread, NULL);
    is_int(falsely_empty, 0, "never_falsely_empty");
}

static void one_thread(void)
{
    first_in_first_out(0, "from 0");
    first_in_first_out(UINT32_MAX - RUNQ_SIZE / 2, "over the end of the count");
    full_is_full();
    grab_takes_half(0, "from 0");
    grab_takes_half(UINT32_MAX - RUNQ_SIZE / 2, "over the end of the count");
    grab_takes_the_oldest();
    next_is_apart();
}

int main(void)
{
    one_thread();
    never_falsely_empty();
    alone = true;
    one_thread();
    return done_testing();
}
