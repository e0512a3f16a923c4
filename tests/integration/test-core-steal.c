/* SPDX-License-Identifier: BSD-3-Clause
 * test-core-steal.c - what waits behind a goroutine that computes comes to an idle P
 *
 * A P's only goroutine, or the one it readied last, is left to it for a moment; not for ever. The
 * machine is pretended, as it depends on who is near to whom.
 */
#include "quoit.h"

#include "tap.h"
#include "world.h"

#include <sched.h>
#include <stdint.h>
#include <stdlib.h>

enum { BUSY_MAX = 3 };

static int nbusy, up, ended;
static int came[BUSY_MAX];
static quoit_sema semas[BUSY_MAX];

static void one_more(int *n)
{
    __atomic_add_fetch(n, 1, __ATOMIC_SEQ_CST);
}

/* Without calling Quoit. Not in time is never, so the test would only hang. */
static void compute_until(const int *n, int want)
{
    int64_t until = world_now() + INT64_C(30000000000);

    while (__atomic_load_n(n, __ATOMIC_SEQ_CST) < want) {
        if (world_now() > until)
            bail("it is left to a P that computes, and others are idle");
        sched_yield();
    }
}

static int comes(void *arg)
{
    one_more(arg);
    return 0;
}

static int computes_before_its_child(void *arg)
{
    came[0] = 0;
    world_spawn(comes, &came[0]);
    compute_until(&came[0], 1);
    return *(int *)arg;
}

static int waits_and_comes(void *arg)
{
    intptr_t i = (intptr_t)arg;

    quoit_sema_wait(&semas[i]);
    one_more(&came[i]);
    return 0;
}

static int readies_and_computes(void *arg)
{
    intptr_t i = (intptr_t)arg;

    one_more(&up);
    compute_until(&up, nbusy);
    quoit_sema_post(&semas[i]);
    compute_until(&came[i], 1);
    one_more(&ended);
    return 0;
}

static int many_busy(void *arg)
{
    up = ended = 0;
    for (intptr_t i = 0; i < nbusy; i++) {
        came[i] = 0;
        semas[i] = (quoit_sema)QUOIT_SEMA_INIT;
        world_spawn(waits_and_comes, (void *)i);
    }
    /* All of them wait before the first is readied. */
    for (int i = 0; i < 2 * nbusy; i++)
        quoit_yield();
    for (intptr_t i = 1; i < nbusy; i++)
        world_spawn(readies_and_computes, (void *)i);
    readies_and_computes((void *)(intptr_t)0);
    while (__atomic_load_n(&ended, __ATOMIC_SEQ_CST) < nbusy)
        quoit_yield();
    return *(int *)arg;
}

static void pretend(const char *machine)
{
    setenv("HWLOC_SYNTHETIC", machine, 1);
    setenv("QUOIT_BIND", "none", 1);
}

int main(void)
{
    int rounds = world_rounds(20), seven = 7, wrong = 0;

    pretend("node:2 core:1 pu:1");
    for (int i = 0; i < rounds; i++)
        wrong += world_run(2, computes_before_its_child, &seven) != 7;
    is_int(wrong, 0, "the only one of a P on another node is taken when that P does not move on");

    pretend("node:1 l3:1 l2:4 core:1 pu:1");
    nbusy = BUSY_MAX;
    for (int i = 0; i < rounds; i++)
        wrong += world_run(nbusy + 1, many_busy, &seven) != 7;
    is_int(wrong, 0, "what was readied last is taken where several P's do not move on");

    pretend("node:1 l3:1 l2:2 core:1 pu:2");
    nbusy = 2;
    for (int i = 0; i < rounds; i++)
        wrong += world_run(nbusy + 1, many_busy, &seven) != 7;
    is_int(wrong, 0, "and where one of them is nearer");
    return done_testing();
}
