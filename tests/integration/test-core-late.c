/* SPDX-License-Identifier: BSD-3-Clause
 * test-core-late.c - the world is to be stopped by a deadline, which mostly comes too early: P's
 * are on their way to who was woken, and none of them may be lost or be given away twice
 */
#include "quoit.h"

#include "tap.h"
#include "world.h"

#include <errno.h>

enum { OTHERS = 4, STOPS = 300 };

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

int main(void)
{
    int three = 3;

    is_int(world_run(0, late_stops, &three), 3, "quoit_main");
    return done_testing();
}
