/* SPDX-License-Identifier: BSD-3-Clause
 * test-core-limit.c - a limit over all stacks makes goroutines wait, and no more
 */
#include "quoit.h"

#include "tap.h"
#include "world.h"

#include <stdlib.h>

/* Many times more goroutines than the limit has stacks for. */
#define LIMIT "4M"
enum { LIMIT_BYTES = 4 << 20, GOROUTINES = 2000, YIELDS = 5 };

static quoit_wg wg;
static quoit_sema gate;
static int ran;

static int yields(void *arg)
{
    (void)arg;
    for (int i = 0; i < YIELDS; i++)
        quoit_yield();
    __atomic_add_fetch(&ran, 1, __ATOMIC_RELAXED);
    quoit_wg_done(&wg);
    return 0;
}

/* Each keeps its stack until another one, which has to have one too, has come. */
static int waits(void *arg)
{
    quoit_sema_wait(&gate);
    return yields(arg);
}

static int posts(void *arg)
{
    quoit_sema_post(&gate);
    return yields(arg);
}

static int first(void *arg)
{
    int n = world_rounds(GOROUTINES);
    size_t size;

    quoit_stack_used(&size);
    ok(size < LIMIT_BYTES / 2, "the first goroutine leaves most of it to others (%d KiB)",
       (int)(size >> 10));
    quoit_wg_add(&wg, n);
    for (int i = 0; i < n; i++)
        world_spawn(yields, NULL);
    quoit_wg_wait(&wg);
    is_int(ran, n, "all that take turns run");

    ran = 0;
    quoit_wg_add(&wg, 2 * n);
    for (int i = 0; i < n; i++) {
        world_spawn(posts, NULL);
        world_spawn(waits, NULL);
    }
    quoit_wg_wait(&wg);
    is_int(ran, 2 * n, "and all that wait for others");
    return *(int *)arg;
}

int main(void)
{
    int seven = 7;

    setenv("QUOIT_STACKLIMIT", LIMIT, 1);
    is_int(world_run(0, first, &seven), 7, "quoit_main starts and returns");
    return done_testing();
}
