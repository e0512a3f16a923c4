/* SPDX-License-Identifier: BSD-3-Clause
 * test-core-work.c - no goroutine is left runnable while a P idles
 *
 * The first goroutine gives others something to do and then computes, without calling Quoit,
 * until it has been done. So another P must have done it, however it was given. How long the
 * others have been idle is different each time: what is sought is also a wake-up that is lost on
 * the way to sleep.
 */
#include "quoit.h"

#include "tap.h"
#include "world.h"

#include <pthread.h>
#include <stdint.h>

/* A machine may be busy with other things. */
static const int64_t patience = INT64_C(20000000000);

static uint64_t dice;
static int done;

static void finished(void)
{
    __atomic_add_fetch(&done, 1, __ATOMIC_RELEASE);
}

/* No call of Quoit in here. */
static bool computes_until(int n)
{
    int64_t until = world_now() + patience;

    while (__atomic_load_n(&done, __ATOMIC_ACQUIRE) < n)
        if (world_now() > until)
            return false;
    return true;
}

/* From nothing to twice as long as an M looks around before it sleeps. */
static void others_get_idle(void)
{
    int64_t until = world_now() + world_rand(&dice) % 100000;

    while (world_now() < until)
        ;
}

static int work(void *arg)
{
    (void)arg;
    finished();
    return 0;
}

static int many_spawned(void)
{
    for (int i = 0; i < 100; i++)
        world_spawn(work, NULL);
    return 100;
}

static int one_spawned(void)
{
    world_spawn(work, NULL);
    return 1;
}

static int spawns_one(void *arg)
{
    world_spawn(work, arg);
    finished();
    return 0;
}

static int one_that_spawns(void)
{
    world_spawn(spawns_one, NULL);
    return 2;
}

static quoit_sema gate;

static int waits(void *arg)
{
    (void)arg;
    quoit_sema_wait(&gate);
    finished();
    return 0;
}

static uint64_t parked(void)
{
    struct quoit_stats st = { .size = sizeof st };

    quoit_stats(&st);
    return st.parked;
}

static void let_wait(int n)
{
    uint64_t from = parked();

    for (int i = 0; i < n; i++)
        world_spawn(waits, NULL);
    while (parked() < from + (uint64_t)n)
        quoit_yield();
    others_get_idle();
}

/* It runs next here, but here is busy. */
static int one_readied(void)
{
    let_wait(1);
    quoit_sema_post(&gate);
    return 1;
}

static int many_readied(void)
{
    let_wait(20);
    for (int i = 0; i < 20; i++)
        quoit_sema_post(&gate);
    return 20;
}

static int by_yield(void)
{
    world_spawn(work, NULL);
    quoit_yield();
    world_spawn(work, NULL);
    return 2;
}

static int in_a_chain(void *arg)
{
    int left = (int)(intptr_t)arg;

    if (left > 0)
        world_spawn(in_a_chain, (void *)(intptr_t)(left - 1));
    quoit_yield();
    finished();
    return 0;
}

static int a_chain(void)
{
    world_spawn(in_a_chain, (void *)(intptr_t)30);
    return 31;
}

static void *spawn_outside(void *arg)
{
    (void)arg;
    if (quoit_go(work, NULL) != 0)
        bail("quoit_go");
    return NULL;
}

/* Only the shared queue has it, and nobody of ours saw it come. */
static int by_a_thread(void)
{
    pthread_t other;

    if (pthread_create(&other, NULL, spawn_outside, NULL) || pthread_detach(other))
        bail("no thread");
    return 1;
}

static const struct way {
    int (*give)(void);
    int rounds;
    const char *what;
} ways[] = {
    { one_spawned, 1000, "one that was spawned" },
    { many_spawned, 200, "many that were spawned" },
    { one_that_spawns, 500, "one that spawns another" },
    { one_readied, 500, "one that was readied" },
    { many_readied, 100, "many that were readied" },
    { by_yield, 500, "one more after a yield" },
    { a_chain, 100, "a chain" },
    { by_a_thread, 100, "one from a plain thread" },
};

static int all(void *arg)
{
    (void)arg;
    if (world_procs() < 2)
        skip_all("one P only");
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        int n = world_rounds(ways[i].rounds), done_rounds = 0;

        for (; done_rounds < n; done_rounds++) {
            others_get_idle();
            __atomic_store_n(&done, 0, __ATOMIC_RELAXED);
            if (!computes_until(ways[i].give()))
                break;
        }
        is_int(done_rounds, n, "%s: another P does it", ways[i].what);
    }
    return 0;
}

int main(void)
{
    dice = world_seed();
    is_int(quoit_main(all, NULL), 0, "ends");
    return done_testing();
}
