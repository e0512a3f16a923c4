/* SPDX-License-Identifier: BSD-3-Clause
 * test-core-pin.c - who is pinned has its P to itself, and may not wait
 */
#include "quoit.h"
#include "quoit_io.h"

#include "child.h"
#include "tap.h"
#include "world.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { PROCS_MAX = 1024, GOROUTINES = 64, ROUNDS = 20000, STANDS_STILL = 997 };

static struct {
    volatile long n;
} __attribute__((aligned(64))) of[PROCS_MAX];
static quoit_wg wg;
static int procs, strange;

static int nothing(void *arg)
{
    (void)arg;
    return 0;
}

/* ---- counters ------------------------------------------------------------------------------- */

/* Long enough for whoever would take the P from a thread that stands still. */
static void stand_still(void)
{
    struct timespec t = { 0, 50000 };

    nanosleep(&t, NULL);
}

static int counts(void *arg)
{
    int rounds = *(int *)arg;

    for (int i = 0; i < rounds; i++) {
        int p = quoit_pin();
        long n;

        if (p < 0 || p >= procs) {
            __atomic_add_fetch(&strange, 1, __ATOMIC_RELAXED);
            p = 0;
        }
        n = of[p].n;
        if (i % STANDS_STILL == 0)
            stand_still();
        of[p].n = n + 1;
        quoit_unpin();
        if (i % 7 == 0)
            quoit_yield();
    }
    quoit_wg_done(&wg);
    return 0;
}

static void counters_add_up(void)
{
    int rounds = world_rounds(ROUNDS);
    long sum = 0;

    quoit_wg_add(&wg, GOROUTINES);
    for (int i = 0; i < GOROUTINES; i++)
        world_spawn(counts, &rounds);
    quoit_wg_wait(&wg);
    for (int p = 0; p < procs; p++)
        sum += of[p].n;
    is_int(sum, (long)GOROUTINES * rounds, "counters of each P add up without atomics");
    is_int(strange, 0, "the index is that of a P");
}

/* ---- what may be done ----------------------------------------------------------------------- */

static void they_nest(void)
{
    int outer = quoit_pin(), inner = quoit_pin();

    is_int(inner, outer, "pinned twice, the same P");
    quoit_unpin();
    stand_still();
    is_int(quoit_pin(), outer, "still the same after one unpin");
    quoit_unpin();
    quoit_unpin();
    quoit_yield();
    ok(true, "and free after the last one");
}

static void what_does_not_wait_is_allowed(void)
{
    quoit_mutex m = QUOIT_MUTEX_INIT;
    quoit_sema s = QUOIT_SEMA_INIT;
    struct quoit_g *g = world_go_apart(nothing, NULL);
    int p;

    do
        quoit_yield();
    while (quoit_num_goroutine() > 1);
    p = quoit_pin();
    quoit_mutex_lock(&m);
    quoit_mutex_unlock(&m);
    quoit_sema_post(&s);
    quoit_sema_wait(&s);
    is_int(quoit_join(g, NULL), 0, "one that has ended can be joined");
    world_spawn(nothing, NULL);
    is_int(quoit_pin(), p, "and nothing of it moves the goroutine");
    quoit_unpin();
    quoit_unpin();
}

/* ---- what may not --------------------------------------------------------------------------- */

static int yields(void *arg)
{
    (void)arg;
    quoit_pin();
    quoit_yield();
    return 0;
}

static int yields_after_one(void *arg)
{
    quoit_pin();
    quoit_pin();
    quoit_unpin();
    quoit_yield();
    return arg != NULL;
}

static int parks(void *arg)
{
    (void)arg;
    quoit_pin();
    quoit_park(NULL, NULL, "a parcel");
    return 0;
}

static int locks(void *arg)
{
    quoit_mutex m = QUOIT_MUTEX_INIT;

    (void)arg;
    quoit_mutex_lock(&m);
    quoit_pin();
    quoit_mutex_lock(&m);
    return 0;
}

static int waits(void *arg)
{
    quoit_sema s = QUOIT_SEMA_INIT;

    (void)arg;
    quoit_pin();
    quoit_sema_wait(&s);
    return 0;
}

static int joins(void *arg)
{
    struct quoit_g *g = world_go(nothing, NULL);

    (void)arg;
    quoit_pin();
    quoit_join(g, NULL);
    return 0;
}

static int reads(void *arg)
{
    int fds[2];
    char c;

    (void)arg;
    if (pipe(fds) != 0)
        return 1;
    quoit_pin();
    return (int)quoit_read(fds[0], &c, 1);
}

static int waits_in_unlock(void *arg)
{
    (void)arg;
    quoit_yield();
    return 1;
}

static int unlocks_and_waits(void *arg)
{
    world_go_apart(nothing, NULL);
    quoit_park(waits_in_unlock, arg, "wrong");
    return 0;
}

static int ends(void *arg)
{
    (void)arg;
    quoit_pin();
    return 0;
}

static int exits(void *arg)
{
    (void)arg;
    quoit_pin();
    quoit_goexit(0);
}

static int ends_in_place(void *arg)
{
    (void)arg;
    return quoit_join(world_go(ends, NULL), NULL);
}

static int exits_in_place(void *arg)
{
    (void)arg;
    return quoit_join(world_go(exits, NULL), NULL);
}

static int unpins(void *arg)
{
    (void)arg;
    quoit_unpin();
    return 0;
}

static int unpins_twice(void *arg)
{
    quoit_pin();
    quoit_unpin();
    return unpins(arg);
}

static const struct misuse {
    quoit_fn fn;
    bool outside;
    const char *what, *said;
} all[] = {
    { yields, false, "yields", "quoit_yield: may not wait between quoit_pin and" },
    { yields_after_one, false, "yields, unpinned once of twice", "quoit_yield: may not wait" },
    { parks, false, "parks", "a parcel: may not wait" },
    { locks, false, "takes a mutex that is held", "mutex: may not wait" },
    { waits, false, "waits for a semaphore", "semaphore: may not wait" },
    { joins, false, "joins one that has not started", "join: may not wait" },
    { reads, false, "reads", "read: may not wait" },
    { unlocks_and_waits, false, "waits in an unlock function", "nor in an unlock function" },
    { ends, false, "ends", "quoit_pin: the goroutine ended" },
    { exits, false, "exits", "quoit_pin: the goroutine ended" },
    { ends_in_place, false, "ends in place", "quoit_pin: the goroutine ended" },
    { exits_in_place, false, "exits in place", "quoit_pin: the goroutine ended" },
    { unpins, false, "unpins without pin", "quoit_unpin: without a quoit_pin" },
    { unpins_twice, false, "unpins once too often", "quoit_unpin: without a quoit_pin" },
    { ends, true, "pins in a plain thread", "quoit_pin: called by a thread that is no" },
    { unpins, true, "unpins there", "quoit_unpin: called by a thread that is no" },
};

static int misuses(void *arg)
{
    const struct misuse *m = arg;

    if (!m->outside)
        return world_run(1, m->fn, NULL);
    world_run(1, nothing, NULL);
    return m->fn(NULL);
}

/* ---- all of it ------------------------------------------------------------------------------ */

static int body(void *arg)
{
    (void)arg;
    procs = world_procs();
    counters_add_up();
    they_nest();
    what_does_not_wait_is_allowed();
    return 7;
}

int main(void)
{
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        struct child c;

        child_run(&c, misuses, (void *)(uintptr_t)&all[i]);
        is_int(child_end(&c), 2, "who %s ends the program", all[i].what);
        ok(strncmp(c.said, "fatal error: ", 13) == 0 && child_said(&c, all[i].said),
           "and it is said why");
    }
    is_int(world_run(0, body, NULL), 7, "who is pinned can be used as meant");
    return done_testing();
}
