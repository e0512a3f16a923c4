/* SPDX-License-Identifier: BSD-3-Clause
 * test-housekeep.c - what a burst leaves behind goes back, and then nothing happens any more
 *
 * The main thread is a plain one and looks on, so that nothing runs while it waits.
 */
#include "housekeep.h"

#include "sanitize.h"

#include "os_linux.h"

#include "child.h"
#include "quoit.h"
#include "tap.h"
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

enum { MANY = 10000, FEW = 400, ROUNDS = 3, QUIET = 5, DEPTH = 8192 };

static const int64_t soon_ns = 60000000000, short_ns = 10000000, tick_ns = 1000000;

static quoit_sema gate;
static quoit_wg waiting;

static size_t resident(void)
{
    unsigned long pages = 0;
    FILE *f = fopen("/proc/self/statm", "re");

    if (f == NULL || fscanf(f, "%*u %lu", &pages) != 1)
        bail("no /proc/self/statm");
    fclose(f);
    return pages * (size_t)sysconf(_SC_PAGESIZE);
}

static uint64_t trimmed(void)
{
    struct quoit_stats st = { .size = sizeof st };

    quoit_stats(&st);
    return st.trimmed;
}

static bool comes(bool (*what)(void))
{
    int64_t until = nanotime() + soon_ns;

    while (!what() && nanotime() < until)
        os_sleep_until(nanotime() + tick_ns);
    return what();
}

static int waits(void *arg)
{
    volatile char used[DEPTH];

    (void)arg;
    used[0] = 1;
    quoit_wg_done(&waiting);
    quoit_sema_wait(&gate);
    return used[0] - 1;
}

static bool all_ended(void)
{
    return quoit_num_goroutine() == 0;
}

/* Deep enough for more than the page that each stack keeps warm. */
static size_t burst(int n)
{
    size_t most;

    quoit_wg_add(&waiting, n);
    for (int i = 0; i < n; i++)
        world_spawn(waits, NULL);
    quoit_wg_wait(&waiting);
    most = resident();
    for (int i = 0; i < n; i++)
        quoit_sema_post(&gate);
    if (!comes(all_ended))
        bail("the goroutines do not end");
    return most;
}

static size_t enough;

static bool has_fallen(void)
{
    return resident() <= enough;
}

static bool has_trimmed(void)
{
    return trimmed() >= enough;
}

static long sleeps(void)
{
    struct rusage all;

    getrusage(RUSAGE_SELF, &all);
    return all.ru_nvcsw;
}

/* In the time of many trims no thread wakes up, but this one. */
static bool stays_asleep(void)
{
    long before = sleeps();

    for (int i = 0; i < QUIET; i++)
        os_sleep_until(nanotime() + 20 * short_ns);
    return sleeps() - before <= QUIET;
}

static void memory_goes_back(void)
{
    int n = world_is_slow() ? FEW : MANY;

    for (int round = 0; round < ROUNDS; round++) {
        uint64_t given = trimmed();
        size_t before = resident(), most = burst(n), left;

        /* A sanitizer keeps memory of its own. */
        if (world_is_slow()) {
            enough = given + (size_t)n * DEPTH / 2;
            ok(comes(has_trimmed), "%d: the stacks of %d goroutines go back", round, n);
            continue;
        }
        enough = before + (most - before) / 8;
        (void)comes(has_fallen);
        left = resident() - before;
        ok(has_fallen(), "%d: of %zu MiB of %d goroutines most go back (%zu MiB remain)", round,
           (most - before) >> 20, n, left >> 20);
        enough = given + (most - before) / 2;
        ok(comes(has_trimmed), "%d: and it is counted", round);
    }
}

static void burst_and_rest(void)
{
    housekeep_trim_ns = short_ns;
    is_int(quoit_init(NULL), 0, "starts");
    memory_goes_back();
    is_int(housekeep_threads(), 1, "there is one thread for it");
    if (world_is_slow())
        skip("a sanitizer has threads of its own");
    else
        ok(comes(stays_asleep), "when all is given back nobody wakes up any more");
    is_int(quoit_shutdown(INT64_MAX), 0, "ends");
    is_int(housekeep_threads(), 0, "and so has the thread");
}

static int does_nothing(void *arg)
{
    (void)arg;
    return 7;
}

static void short_programs(void)
{
    housekeep_trim_ns = soon_ns;
    is_int(world_run(2, does_nothing, NULL), 7, "a short program");
    is_int(housekeep_threads(), 0, "has never had one");
    housekeep_trim_ns = 1;
    for (int i = 0; i < world_rounds(50); i++)
        if (world_run(2, does_nothing, NULL) != 7)
            bail("one that ends while the housekeeper begins");
    ok(1, "it may end while the housekeeper begins");
}

/* ---- a deadlock with a housekeeper about ---------------------------------------------------- */

#ifndef __SANITIZE_THREAD__
static int works_and_waits(void *arg)
{
    int64_t until = nanotime() + soon_ns;

    (void)arg;
    while (housekeep_threads() == 0 && nanotime() < until)
        quoit_sleep(tick_ns);
    quoit_sema_wait(&gate);
    return 0;
}

static int deadlocks(void *arg)
{
    (void)arg;
    housekeep_trim_ns = tick_ns;
    return quoit_main(works_and_waits, NULL);
}

static void deadlock_is_seen(void)
{
    struct child c;

    child_run(&c, deadlocks, NULL);
    is_int(child_end(&c), 2, "a deadlock ends the program with a housekeeper too");
    ok(child_said(&c, "all goroutines are asleep - deadlock!"), "and says what it is");
}
#endif

int main(void)
{
    if (sanitize_valgrind)
        skip_all("on Valgrind a deadlock is not seen, nor that free stacks are linked");
#ifdef __SANITIZE_THREAD__
    skip("a deadlock: the sanitizer's own thread could wake somebody, for all we know");
#else
    deadlock_is_seen();
#endif
    short_programs();
    burst_and_rest();
    return done_testing();
}
