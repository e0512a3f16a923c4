/* SPDX-License-Identifier: BSD-3-Clause
 * stress-core-wake.c - no wake-up is lost between work that comes and M's that go to sleep
 *
 * The first goroutine computes and calls Quoit only to give work away: what it gave must be done
 * by others, who are somewhere between looking around and being asleep when it comes. A plain
 * thread does the same from outside. Whoever is not woken within `patience` is lost.
 */
#include "quoit.h"

#include "tap.h"
#include "world.h"

#include <pthread.h>
#include <unistd.h>

static const int64_t patience = INT64_C(30000000000);

static uint64_t seed;
static int64_t until;
static uint64_t done, rounds[2];

static int work(void *arg)
{
    __atomic_add_fetch((uint64_t *)arg, 1, __ATOMIC_RELEASE);
    return 0;
}

struct gate {
    quoit_sema s, parking;
    uint64_t done;
    bool over;
};

static int waits(void *arg)
{
    struct gate *g = arg;

    for (;;) {
        quoit_sema_wait(&g->s);
        if (g->over)
            return 0;
        __atomic_add_fetch(&g->done, 1, __ATOMIC_RELEASE);
    }
}

static void until_reached(uint64_t *n, uint64_t want, const char *what)
{
    int64_t end = world_now() + patience;

    while (__atomic_load_n(n, __ATOMIC_ACQUIRE) < want)
        if (world_now() > end)
            bail("%s: %llu of %llu done, nobody looks", what,
                 (unsigned long long)__atomic_load_n(n, __ATOMIC_ACQUIRE),
                 (unsigned long long)want);
}

/* Most often about as long as it takes from the last look to sleep. */
static void pause_a_while(uint64_t *dice)
{
    int64_t ns = world_rand(dice) % (world_rand(dice) % 8 == 0 ? 200000 : 70000);
    int64_t end = world_now() + ns;

    while (world_now() < end)
        ;
}

static void give(struct gate *g, uint64_t *dice, uint64_t *given, uint64_t *posted)
{
    int n = 1 + (int)(world_rand(dice) % 4);

    for (int i = 0; i < n; i++) {
        if (world_rand(dice) % 2) {
            world_spawn(work, &done);
            ++*given;
        } else {
            quoit_sema_post(&g->s);
            ++*posted;
        }
        if (world_rand(dice) % 4 == 0)
            pause_a_while(dice);
    }
}

static int gives(void *arg)
{
    struct gate g = { .over = false };
    struct quoit_g *waiter[3];
    uint64_t dice = seed, given = 0, posted = 0;
    int64_t end = world_now() + (until - world_now()) / 2;

    (void)arg;
    done = 0;
    for (int i = 0; i < 3; i++)
        waiter[i] = world_go_apart(waits, &g);
    for (; world_now() < end; rounds[0]++) {
        pause_a_while(&dice);
        give(&g, &dice, &given, &posted);
        until_reached(&done, given, "spawned");
        until_reached(&g.done, posted, "posted");
    }
    g.over = true;
    for (int i = 0; i < 3; i++)
        quoit_sema_post(&g.s);
    for (int i = 0; i < 3; i++)
        world_join(waiter[i]);
    return 0;
}

static void from_outside(void)
{
    struct gate g = { .over = false };
    uint64_t dice = seed, given = 0, posted = 0;

    done = 0;
    if (quoit_init(NULL) != 0)
        bail("quoit_init");
    for (int i = 0; i < 3; i++)
        world_spawn(waits, &g);
    for (; world_now() < until; rounds[1]++) {
        pause_a_while(&dice);
        give(&g, &dice, &given, &posted);
        until_reached(&done, given, "spawned by a thread");
        until_reached(&g.done, posted, "posted by a thread");
    }
    g.over = true;
    for (int i = 0; i < 3; i++)
        quoit_sema_post(&g.s);
    if (quoit_shutdown(INT64_MAX) != 0)
        bail("quoit_shutdown");
}

int main(void)
{
    seed = world_seed();
    until = world_until();
    is_int(world_run(2, gives, NULL), 0, "no wake-up lost among goroutines");
    from_outside();
    diag("%llu and %llu rounds", (unsigned long long)rounds[0], (unsigned long long)rounds[1]);
    ok(rounds[0] > 0 && rounds[1] > 0, "and none of a plain thread's");
    return done_testing();
}
