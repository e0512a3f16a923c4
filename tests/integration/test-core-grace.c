/* SPDX-License-Identifier: BSD-3-Clause
 * test-core-grace.c - a grace period ends when all have been at a safe point
 */
#include "quoit.h"

#include "tap.h"
#include "world.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <time.h>
#include <unistd.h>

enum { HOGS = 3, PINS = 4, ROUNDS = 20, HOG_NS = 200000 };
static const int64_t patience = INT64_C(60000000000);

static uint32_t over, hogs, calls;
static quoit_sema gate;
static quoit_wg ended;
static int fds[2];

static uint32_t get(const uint32_t *p)
{
    return __atomic_load_n(p, __ATOMIC_SEQ_CST);
}

static void put(uint32_t *p, uint32_t v)
{
    __atomic_store_n(p, v, __ATOMIC_SEQ_CST);
}

static void add(uint32_t *p)
{
    __atomic_fetch_add(p, 1, __ATOMIC_SEQ_CST);
}

static void compute(int64_t ns)
{
    int64_t until = world_now() + ns;

    while (world_now() < until)
        ;
}

static void in_a_call(void)
{
    char c;

    quoit_syscall_enter();
    while (read(fds[0], &c, 1) < 0 && errno == EINTR)
        ;
    quoit_syscall_exit();
}

/* ---- readers -------------------------------------------------------------------------------- */


static uint32_t version, section[HOGS + 1], late, rests;

static const uint32_t NO_SECTION = UINT32_MAX;

/* Reads for a while, comes to a safe point, reads again. A pin is one, but gives nobody else a
 * turn: with one P those that are to look at the readers would wait for ever. */
static int reads(void *arg)
{
    int i = (int)(intptr_t)arg;

    add(&hogs);
    for (int turn = 1; !get(&over); turn++) {
        put(&section[i], get(&version));
        compute(HOG_NS);
        put(&section[i], NO_SECTION);
        if (i % 2 == 0 || turn % PINS == 0)
            quoit_yield();
        else
            quoit_pin(), quoit_unpin();
    }
    quoit_wg_done(&ended);
    return 0;
}

/* The same in foreign code that holds no P, without a mark. */
static int rests_in_it(void *arg)
{
    struct timespec t = { .tv_nsec = 30 * 1000000 };

    (void)arg;
    while (!get(&over)) {
        put(&section[HOGS], get(&version));
        nanosleep(&t, NULL);
        add(&rests);
        put(&section[HOGS], NO_SECTION);
        quoit_yield();
    }
    quoit_wg_done(&ended);
    return 0;
}

static void one_round(void)
{
    uint32_t now = __atomic_add_fetch(&version, 1, __ATOMIC_SEQ_CST);

    quoit_synchronize();
    for (int i = 0; i <= HOGS; i++)
        if (get(&section[i]) < now)
            add(&late);
}

static int rounds(void *arg)
{
    for (int i = 0; i < world_rounds(ROUNDS); i++)
        one_round();
    return arg != NULL;
}

static void *thread_rounds(void *arg)
{
    return (void *)(intptr_t)rounds(arg);
}

static void readers_are_waited_for(void)
{
    struct quoit_g *g;
    pthread_t thread;

    put(&over, 0);
    put(&hogs, 0);
    quoit_wg_add(&ended, HOGS + 1);
    for (int i = 0; i <= HOGS; i++)
        put(&section[i], NO_SECTION);
    for (int i = 0; i < HOGS; i++)
        world_spawn(reads, (void *)(intptr_t)i);
    world_spawn(rests_in_it, NULL);
    while (get(&hogs) == 0 || get(&rests) == 0)
        quoit_sleep(1000000);
    g = world_go_apart(rounds, NULL);
    if (pthread_create(&thread, NULL, thread_rounds, NULL) != 0)
        bail("no thread");
    rounds(NULL);
    world_join(g);
    quoit_syscall_enter();
    pthread_join(thread, NULL);
    quoit_syscall_exit();
    is_int(get(&late), 0, "no reader of before is left after %d waits", 3 * world_rounds(ROUNDS));
    put(&over, 1);
    quoit_wg_wait(&ended);
}

static int calls_out(void *arg)
{
    (void)arg;
    add(&calls);
    in_a_call();
    quoit_wg_done(&ended);
    return 0;
}

static void marked_calls_are_not(void)
{
    put(&calls, 0);
    quoit_wg_add(&ended, HOGS);
    for (int i = 0; i < HOGS; i++)
        world_spawn(calls_out, NULL);
    while (get(&calls) < HOGS)
        quoit_sleep(1000000);
    quoit_synchronize();
    ok(true, "who is in a marked call is not waited for");
    for (int i = 0; i < HOGS; i++)
        if (write(fds[1], "", 1) != 1)
            bail("no write");
    quoit_wg_wait(&ended);
}

static uint32_t pinned;

enum { NOT_YET, PINNED, NO_MORE };

static int stays_pinned(void *arg)
{
    (void)arg;
    quoit_pin();
    put(&pinned, PINNED);
    for (int i = 0; i < 20; i++) {
        compute(HOG_NS);
        quoit_sema_post(&gate);
        quoit_sema_trywait(&gate);
    }
    put(&pinned, NO_MORE);
    quoit_unpin();
    quoit_wg_done(&ended);
    return 0;
}

static void pinned_ones_are(void)
{
    if (world_procs() == 1) {
        skip("nobody can ask while the only P is pinned");
        return;
    }
    quoit_wg_add(&ended, 1);
    world_spawn(stays_pinned, NULL);
    while (get(&pinned) == NOT_YET)
        quoit_yield();
    quoit_synchronize();
    is_int(get(&pinned), NO_MORE, "who is pinned is waited for, whatever it calls");
    quoit_wg_wait(&ended);
}

/* It calls Quoit and never gives way by itself. */
static int pins_only(void *arg)
{
    int64_t until = world_now() + patience;

    (void)arg;
    add(&hogs);
    while (!get(&over) && world_now() < until)
        quoit_pin(), quoit_unpin();
    put(&hogs, 0);
    quoit_wg_done(&ended);
    return 0;
}

static void who_never_yields_comes_by(void)
{
    if (world_procs() == 1) {
        skip("nobody can ask while the only P is taken");
        return;
    }
    put(&over, 0);
    put(&hogs, 0);
    quoit_wg_add(&ended, 1);
    world_spawn(pins_only, NULL);
    while (get(&hogs) == 0)
        quoit_yield();
    for (int i = 0; i < ROUNDS; i++)
        quoit_synchronize();
    is_int(get(&hogs), 1, "who calls Quoit and never yields is not waited for to the end");
    put(&over, 1);
    quoit_wg_wait(&ended);
}

static int all(void *arg)
{
    (void)arg;
    readers_are_waited_for();
    marked_calls_are_not();
    pinned_ones_are();
    who_never_yields_comes_by();
    return 0;
}

int main(void)
{
    if (pipe(fds) != 0)
        bail("no pipe");
    quoit_synchronize();
    is_int(world_run(0, all, NULL), 0, "runs");
    return done_testing();
}
