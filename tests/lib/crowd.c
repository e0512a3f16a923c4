/* SPDX-License-Identifier: BSD-3-Clause
 * crowd.c - goroutines that keep a world busy
 */
#include "crowd.h"

#include "quoit_io.h"

#include "tap.h"
#include "world.h"

#include <stdbool.h>
#include <time.h>
#include <unistd.h>

enum { SHORT_NS = 1000000 };

#define LONG_NS (60 * INT64_C(1000000000))

static int over;
quoit_wg crowd_wg;

static bool going_on(void)
{
    return !__atomic_load_n(&over, __ATOMIC_RELAXED);
}

void crowd_end(void)
{
    __atomic_store_n(&over, 1, __ATOMIC_RELAXED);
    quoit_wg_wait(&crowd_wg);
    __atomic_store_n(&over, 0, __ATOMIC_RELAXED);
}

void crowd_begin(quoit_fn fn, int n)
{
    quoit_wg_add(&crowd_wg, n);
    for (int i = 0; i < n; i++)
        world_spawn(fn, (void *)(intptr_t)i);
}

/* ---- those that are stopped ----------------------------------------------------------------- */

/* Each with one writer: what a stopper reads must stand still. */
static struct {
    long n;
} __attribute__((aligned(64))) counter[CROWD_COUNTERS];

int crowd_counts(void *arg)
{
    int i = (int)(intptr_t)arg;

    while (going_on()) {
        __atomic_store_n(&counter[i].n, counter[i].n + 1, __ATOMIC_RELAXED);
        if (i % 3 == 0) {
            quoit_sema s = QUOIT_SEMA_INIT;

            quoit_sema_post(&s);
            quoit_sema_wait(&s);
        }
        quoit_yield();
    }
    quoit_wg_done(&crowd_wg);
    return 0;
}

static int reads_slowly(void *arg)
{
    int fds[2];
    char c;

    (void)arg;
    if (pipe(fds) != 0)
        bail("pipe");
    while (going_on())
        if (quoit_write(fds[1], "x", 1) != 1 || quoit_read(fds[0], &c, 1) != 1)
            bail("a pipe");
    close(fds[0]);
    close(fds[1]);
    quoit_wg_done(&crowd_wg);
    return 0;
}

static int sleeps(void *arg)
{
    (void)arg;
    while (going_on())
        quoit_sleep(SHORT_NS / 5);
    quoit_wg_done(&crowd_wg);
    return 0;
}

static int naps(void *arg)
{
    struct timespec t = { 0, SHORT_NS / 5 };

    nanosleep(&t, NULL);
    return arg != NULL;
}

static int naps_in_block(void *arg)
{
    while (going_on())
        quoit_block(naps, arg);
    quoit_wg_done(&crowd_wg);
    return 0;
}

static int naps_marked(void *arg)
{
    while (going_on()) {
        quoit_syscall_enter();
        naps(arg);
        quoit_syscall_exit();
    }
    quoit_wg_done(&crowd_wg);
    return 0;
}

/* Without a mark: the stop waits for it. */
static int naps_unmarked(void *arg)
{
    while (going_on()) {
        naps(arg);
        quoit_yield();
    }
    quoit_wg_done(&crowd_wg);
    return 0;
}

static int locked_yields(void *arg)
{
    (void)arg;
    quoit_lock_thread();
    while (going_on())
        quoit_yield();
    quoit_unlock_thread();
    quoit_wg_done(&crowd_wg);
    return 0;
}

void crowd_all_sorts(void)
{
    crowd_begin(crowd_counts, CROWD_COUNTERS);
    crowd_begin(reads_slowly, 2);
    crowd_begin(sleeps, 2);
    crowd_begin(naps_in_block, 2);
    crowd_begin(naps_marked, 2);
    crowd_begin(naps_unmarked, 2);
    crowd_begin(locked_yields, 2);
}

long crowd_sum(void)
{
    long n = 0;

    for (int i = 0; i < CROWD_COUNTERS; i++)
        n += __atomic_load_n(&counter[i].n, __ATOMIC_RELAXED);
    return n;
}

void crowd_goes_on(const char *what)
{
    int64_t until = world_now() + LONG_NS;
    long seen[CROWD_COUNTERS];
    int left = 0;

    for (int i = 0; i < CROWD_COUNTERS; i++)
        seen[i] = __atomic_load_n(&counter[i].n, __ATOMIC_RELAXED);
    do {
        quoit_yield();
        left = 0;
        for (int i = 0; i < CROWD_COUNTERS; i++)
            left += __atomic_load_n(&counter[i].n, __ATOMIC_RELAXED) == seen[i];
    } while (left > 0 && world_now() < until);
    is_int(left, 0, "%s: every one goes on", what);
}
