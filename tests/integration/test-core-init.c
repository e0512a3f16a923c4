/* SPDX-License-Identifier: BSD-3-Clause
 * test-core-init.c - Quoit beside a program that keeps its own main
 */
#include "quoit.h"

#include "tap.h"
#include "world.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>

static uint64_t ran;

static int count(void *arg)
{
    __atomic_add_fetch(&ran, (uint64_t)(uintptr_t)arg, __ATOMIC_RELAXED);
    return 0;
}

static int count_copy(void *arg)
{
    __atomic_add_fetch(&ran, *(uint64_t *)arg, __ATOMIC_RELAXED);
    return 0;
}

static int waits(void *arg)
{
    quoit_sema_wait(arg);
    return 0;
}

static int shuts_down(void *arg)
{
    *(int *)arg = quoit_shutdown(0);
    return 0;
}

static void busy_and_not(void)
{
    quoit_sema gate = QUOIT_SEMA_INIT;
    int e = 0;

    is_int(quoit_init(NULL), 0, "starts");
    is_int(quoit_init(NULL), -EALREADY, "once");
    is_int(quoit_main(shuts_down, &e), -EALREADY, "and not under quoit_main too");
    is_int(quoit_go(waits, &gate), 0, "a plain thread spawns");
    is_int(quoit_num_goroutine(), 1, "one exists");
    is_int(quoit_shutdown(0), -EBUSY, "it still runs, says a look");
    is_int(quoit_shutdown(world_now() + 1000000), -EBUSY, "and a wait of a millisecond");
    is_int(quoit_shutdown(-1), -EBUSY, "a time before all times is past");
    is_int(quoit_go(shuts_down, &e), 0, "nothing has changed by that");
    quoit_sema_post(&gate);
    is_int(quoit_shutdown(INT64_MAX), 0, "ends when all have ended");
    is_int(e, -EPERM, "a goroutine may not end it");
    is_int(quoit_shutdown(0), -EPERM, "only once");
    is_int(quoit_go(count, NULL), -ESHUTDOWN, "nothing is spawned afterwards");
}

static void fresh_is_idle(void)
{
    is_int(quoit_init(NULL), 0, "starts");
    is_int(quoit_shutdown(0), 0, "with no goroutine a look is enough");
}

static void options(void)
{
    struct quoit_options o = { .size = sizeof o, .procs = 3, .flags = QUOIT_NO_ENV };

    is_int(quoit_init(&o), 0, "with options");
    is_int(world_procs(), 3, "as many P's as asked for");
    is_int(quoit_set_max_threads(0), 10000, "threads as by default");
    is_int(quoit_set_max_threads(50), 10000, "set");
    is_int(quoit_set_max_threads(-1), 50, "and asked");
    is_int(quoit_shutdown(INT64_MAX), 0, "ends");
}

static void rounds(void)
{
    int n = world_rounds(world_is_slow() ? 300 : 200), bad = 0;
    uint64_t three = 3;

    if (n > 1000)
        n = 1000;
    __atomic_store_n(&ran, 0, __ATOMIC_RELAXED);
    for (int i = 0; i < n; i++) {
        bad += quoit_init(NULL) != 0;
        for (int k = 0; k < 10; k++)
            bad += quoit_go(count, (void *)(uintptr_t)1) != 0;
        bad += quoit_go_copy(count_copy, &three, sizeof three) != 0;
        bad += quoit_shutdown(INT64_MAX) != 0;
    }
    is_int(bad, 0, "%d starts and ends", n);
    is_int(__atomic_load_n(&ran, __ATOMIC_RELAXED), 13 * (uint64_t)n,
           "each waited for all goroutines");
}

/* ---- the last goroutine's end and what others still do for it ------------------------------- */

static void *post(void *gate)
{
    quoit_sema_post(gate);
    return NULL;
}

static void ended_by_a_thread_that_may_still_be_waking(void)
{
    int n = world_rounds(100), bad = 0;

    for (int i = 0; i < n; i++) {
        quoit_sema gate = QUOIT_SEMA_INIT;
        pthread_t other;

        bad += quoit_init(NULL) != 0;
        bad += quoit_go(waits, &gate) != 0;
        if (pthread_create(&other, NULL, post, &gate))
            bail("no thread");
        bad += quoit_shutdown(INT64_MAX) != 0;
        pthread_join(other, NULL);
    }
    is_int(bad, 0, "%d ends while another thread posts", n);
}

static void *shut(void *arg)
{
    *(int *)arg = quoit_shutdown(INT64_MAX);
    return NULL;
}

static void two_at_once(void)
{
    int n = world_rounds(100), bad = 0;

    for (int i = 0; i < n; i++) {
        pthread_t other;
        int mine, theirs;

        bad += quoit_init(NULL) != 0;
        bad += quoit_go(count, NULL) != 0;
        if (pthread_create(&other, NULL, shut, &theirs))
            bail("no thread");
        mine = quoit_shutdown(INT64_MAX);
        pthread_join(other, NULL);
        bad += (mine == 0) + (theirs == 0) != 1;
        bad += mine != 0 && mine != -EPERM && mine != -EBUSY;
        bad += theirs != 0 && theirs != -EPERM && theirs != -EBUSY;
    }
    is_int(bad, 0, "of two that shut down at once one succeeds");
}

int main(void)
{
    fresh_is_idle();
    busy_and_not();
    options();
    rounds();
    ended_by_a_thread_that_may_still_be_waking();
    two_at_once();
    return done_testing();
}
