/* SPDX-License-Identifier: BSD-3-Clause
 * test-core-counts.c - how many goroutines and threads there are, and how many there may be
 */
#include "quoit.h"

#include "child.h"
#include "tap.h"
#include "world.h"

#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

enum { GOROUTINES = 1000, LIMIT = 321, ABOVE = 100 };

static quoit_sema gate;
static quoit_wg wg;

static int waits(void *arg)
{
    (void)arg;
    quoit_sema_wait(&gate);
    quoit_wg_done(&wg);
    return 0;
}

static int nothing(void *arg)
{
    (void)arg;
    return 0;
}

static void until_there_are(int n)
{
    while (quoit_num_goroutine() != n)
        quoit_yield();
}

static void goroutines_are_counted(void)
{
    struct quoit_g *g;

    is_int(quoit_num_goroutine(), 1, "the first one counts");
    quoit_wg_add(&wg, GOROUTINES);
    for (int i = 0; i < GOROUTINES; i++)
        world_spawn(waits, NULL);
    is_int(quoit_num_goroutine(), GOROUTINES + 1, "and all that were spawned, started or not");
    for (int i = 0; i < 10; i++)
        quoit_yield();
    is_int(quoit_num_goroutine(), GOROUTINES + 1, "and that wait");
    for (int i = 0; i < GOROUTINES; i++)
        quoit_sema_post(&gate);
    quoit_wg_wait(&wg);
    until_there_are(1);
    ok(true, "those that have ended do not");
    quoit_wg_add(&wg, 1);
    g = world_go_apart(waits, NULL);
    is_int(quoit_num_goroutine(), 2, "one that will be joined");
    quoit_sema_post(&gate);
    until_there_are(1);
    ok(true, "counts until it has ended");
    world_join(g);
    is_int(quoit_num_goroutine(), 1, "and joining it changes nothing");
}

static void *counts_from_outside(void *arg)
{
    int *seen = arg;

    seen[0] = quoit_num_goroutine();
    seen[1] = quoit_num_thread();
    seen[2] = quoit_set_max_threads(LIMIT);
    return NULL;
}

static void threads_are_counted(void)
{
    int n = quoit_num_thread(), old = quoit_set_max_threads(0), seen[3];
    pthread_t t;

    ok(n >= 1, "the thread in quoit_main counts: %d", n);
    ok(n <= old, "and there are no more than may be: %d", old);
    is_int(quoit_set_max_threads(LIMIT), old, "a limit is set, and the old one told");
    is_int(quoit_set_max_threads(-1), LIMIT, "to ask changes nothing");
    is_int(quoit_set_max_threads(0), LIMIT, "nor does to ask again");
    if (pthread_create(&t, NULL, counts_from_outside, seen) != 0)
        bail("pthread_create");
    pthread_join(t, NULL);
    is_int(seen[0], 1, "a thread that is not ours sees the goroutines");
    ok(seen[1] >= 1, "and the threads");
    is_int(seen[2], LIMIT, "and may change the limit");
    quoit_set_max_threads(1);
    ok(quoit_num_thread() >= 1, "a limit below what there is takes no thread away");
    quoit_set_max_threads(old);
}

static int body(void *arg)
{
    goroutines_are_counted();
    threads_are_counted();
    return *(int *)arg;
}

/* ---- past the limit ------------------------------------------------------------------------- */

/* A second P wants a second thread as soon as there is work. */
static int needs_two(void *arg)
{
    bool set = *(int *)arg;

    if (set)
        quoit_set_max_threads(1);
    for (;;) {
        world_spawn(nothing, NULL);
        quoit_yield();
    }
    return 0;
}

static int runs_past(void *arg)
{
    if (!*(int *)arg)
        setenv("QUOIT_MAXTHREADS", "1", 1);
    return world_run(2, needs_two, arg);
}

static void past_it_the_program_ends(int set, const char *how)
{
    struct child c;

    child_run(&c, runs_past, &set);
    is_int(child_end(&c), 2, "a thread too many by %s ends the program", how);
    ok(child_said(&c, "the program needs more than 1 threads"), "and it is said why");
    ok(child_said(&c, "QUOIT_MAXTHREADS"), "and what may be done about it");
}

int main(void)
{
    int seven = 7;

    is_int(quoit_num_goroutine() + quoit_num_thread() + quoit_set_max_threads(ABOVE), 0,
           "nothing runs: nothing is there to count");
    past_it_the_program_ends(0, "the environment");
    past_it_the_program_ends(1, "quoit_set_max_threads");
    is_int(world_run(0, body, &seven), 7, "quoit_main");
    is_int(quoit_num_goroutine() + quoit_num_thread() + quoit_set_max_threads(ABOVE), 0,
           "and nothing afterwards");
    is_int(world_run(0, body, &seven), 7, "once more, with the limits of the start");
    return done_testing();
}
