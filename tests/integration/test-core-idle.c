/* SPDX-License-Identifier: BSD-3-Clause
 * test-core-idle.c - a program whose goroutines all wait uses no cpu
 *
 * It looks at the process's own clock over some seconds of doing nothing, a minute when
 * QUOIT_STRESS_SECONDS is set. What the start costs may still be under way in the first of them.
 */
#include "quoit.h"
#include "quoit_io.h"

#include "tap.h"
#include "world.h"

#include <stdint.h>
#include <time.h>
#include <unistd.h>

enum { TRIES = 3 };

static quoit_sema gate;
static quoit_wg waiting;
static int fds[2];

static int waits(void *arg)
{
    (void)arg;
    quoit_wg_done(&waiting);
    quoit_sema_wait(&gate);
    return 0;
}

static int reads(void *arg)
{
    char c;

    (void)arg;
    quoit_wg_done(&waiting);
    return quoit_read(fds[0], &c, 1) == 1 ? 0 : -1;
}

static int64_t cpu_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static int64_t used_in(time_t seconds)
{
    struct timespec t = { .tv_sec = seconds };
    int64_t before = cpu_ns();

    while (clock_nanosleep(CLOCK_MONOTONIC, 0, &t, &t) != 0)
        ;
    return cpu_ns() - before;
}

int main(void)
{
    int64_t used = 0, seconds = world_is_soak() ? 60 : 2;
    int waiters = world_is_slow() ? 100 : 1000;

    if (pipe(fds) != 0)
        bail("no pipe");
    is_int(quoit_init(NULL), 0, "starts");
    quoit_wg_add(&waiting, waiters + 1);
    for (int i = 0; i < waiters; i++)
        world_spawn(waits, NULL);
    world_spawn(reads, NULL);
    quoit_wg_wait(&waiting);
    for (int i = 0; i < TRIES && !world_is_slow(); i++) {
        used = used_in(seconds);
        if (used < seconds * 1000000)
            break;
    }
    if (world_is_slow())
        skip("a sanitizer has threads of its own");
    else
        ok(used < seconds * 1000000, "idle it uses less than a thousandth of a cpu (%d us in %d s)",
           (int)(used / 1000), (int)seconds);
    for (int i = 0; i < waiters; i++)
        quoit_sema_post(&gate);
    is_int(write(fds[1], "", 1), 1, "a byte");
    is_int(quoit_shutdown(INT64_MAX), 0, "all wake and end");
    return done_testing();
}
