/* SPDX-License-Identifier: BSD-3-Clause
 * test-core-late.c - the world is to be stopped by a deadline, which mostly comes too early: P's
 * are on their way to who was woken, and none of them may be lost or be given away twice. Or the
 * end comes first, and nobody may wait on.
 */
#include "quoit.h"

#include "tap.h"
#include "world.h"

#include <errno.h>
#include <pthread.h>

enum { OTHERS = 4, STOPS = 300, RUNS = 100, SOON_NS = 100000 };

/* An end that has to leave somebody behind takes a second. */
static const int64_t left_behind_ns = 900000000;

static int over;

static bool is_over(void)
{
    return __atomic_load_n(&over, __ATOMIC_RELAXED);
}

static int64_t soon(int64_t ns)
{
    return world_now() + ns;
}

static int naps(void *arg)
{
    while (!is_over()) {
        int64_t until = soon(100000);

        while (world_now() < until)
            ;
        quoit_sleep(20000);
    }
    quoit_wg_done(arg);
    return 0;
}

static int late_stops(void *arg)
{
    quoit_wg wg = QUOIT_WG_INIT;
    uint64_t dice = world_seed();
    int late = 0, stopped = 0, rounds = world_rounds(STOPS);

    over = 0;
    quoit_wg_add(&wg, OTHERS);
    for (int i = 0; i < OTHERS; i++)
        world_spawn(naps, &wg);
    for (int i = 0; i < rounds; i++) {
        int e = quoit_stop_world(soon(world_rand(&dice) % 100000), 0);

        late += e == -ETIMEDOUT;
        if (e == 0) {
            stopped++;
            quoit_start_world();
        }
        quoit_sleep(world_rand(&dice) % 100000);
    }
    diag("%d late, %d in time", late, stopped);
    is_int(late + stopped, rounds, "a stop is in time, or late");
    is_int(quoit_stop_world(INT64_MAX, 0), 0, "and one without a deadline comes to its end");
    quoit_start_world();
    __atomic_store_n(&over, 1, __ATOMIC_RELAXED);
    quoit_wg_wait(&wg);
    return *(int *)arg;
}

/* ---- the end -------------------------------------------------------------------------------- */

static int stops_for_ever(void *arg)
{
    (void)arg;
    for (;;)
        if (quoit_stop_world(INT64_MAX, 0) == 0)
            quoit_start_world();
    return 0;
}

/* Its end meets the others on their way to stop the world. */
static int ends_soon(void *arg)
{
    world_spawn(stops_for_ever, NULL);
    world_spawn(stops_for_ever, NULL);
    quoit_sleep(world_rand(arg) % SOON_NS);
    return 0;
}

static void *stops_from_outside(void *arg)
{
    int *wrong = arg;

    while (!is_over()) {
        int e = quoit_stop_world(INT64_MAX, 0);

        if (e == 0)
            quoit_start_world();
        else if (e != -ESHUTDOWN)
            *wrong = e;
    }
    return NULL;
}

static void ends(uint64_t *dice, const char *what)
{
    int failed = 0, left = 0;

    for (int i = world_rounds(RUNS); i > 0 && failed + left == 0; i--) {
        int64_t begun = world_now();

        failed += quoit_main(ends_soon, dice) != 0;
        left += world_now() - begun > left_behind_ns && !world_is_slow();
    }
    is_int(failed, 0, "%s: each start is a start", what);
    is_int(left, 0, "%s: nobody is left behind at the end", what);
}

static void ends_and_stops(void)
{
    uint64_t dice = world_seed();
    pthread_t thread;
    int wrong = 0;

    ends(&dice, "goroutines stop the world");
    over = 0;
    if (pthread_create(&thread, NULL, stops_from_outside, &wrong) != 0)
        bail("no thread");
    ends(&dice, "a thread does too");
    __atomic_store_n(&over, 1, __ATOMIC_RELAXED);
    pthread_join(thread, NULL);
    is_int(wrong, 0, "it is told that Quoit ends, or is not there");
}

int main(void)
{
    int three = 3;

    is_int(world_run(0, late_stops, &three), 3, "quoit_main");
    ends_and_stops();
    return done_testing();
}
