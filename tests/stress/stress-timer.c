/* SPDX-License-Identifier: BSD-3-Clause
 * stress-timer.c - deadlines against wake-ups, at about the same time, by many
 *
 * Each round is a few microseconds of waiting that ends by a post, an end, a ready or a deadline,
 * whichever comes first. In the end as many got through as were let through, nobody timed out
 * early, and everybody has come back.
 */
#include "quoit.h"

#include "tap.h"
#include "world.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>

enum { WORKERS = 24, THREADS = 2, KINDS = 4 };

static const char *const kind_name[KINDS] = { "sleeps", "semaphore", "joins", "parks" };

static uint64_t seed;
static int64_t until;
static quoit_wg over;
static atomic_uint early, wrong, woken[KINDS], timed_out[KINDS];

static int64_t soon(uint64_t *dice)
{
    return world_now() + world_rand(dice) % (world_rand(dice) % 8 == 0 ? 200000 : 20000);
}

/* True: in time. */
static bool outcome(int kind, int e, int64_t deadline)
{
    if (e == 0) {
        woken[kind]++;
        return true;
    }
    if (e != -ETIMEDOUT)
        wrong++;
    if (world_now() < deadline)
        early++;
    timed_out[kind]++;
    return false;
}

static void a_while(uint64_t *dice)
{
    int64_t end = world_now() + world_rand(dice) % 20000;

    while (world_now() < end)
        quoit_yield();
}

/* ---- each kind ------------------------------------------------------------------------------ */

static void sleeps(uint64_t *dice)
{
    int64_t deadline = soon(dice), ns = deadline - world_now();

    quoit_sleep(ns);
    if (ns > 0)
        outcome(0, -ETIMEDOUT, deadline);
}

/* Shared by all. */
static quoit_sema sema;
static atomic_llong posted, taken;

static void waits_or_posts(uint64_t *dice)
{
    int64_t deadline = soon(dice);

    /* Fewer than want one: who waits has to. */
    if (world_rand(dice) % 5 < 2) {
        a_while(dice);
        posted++;
        quoit_sema_post(&sema);
    } else if (outcome(1, quoit_sema_wait_until(&sema, deadline), deadline)) {
        taken++;
    }
}

static int lives(void *arg)
{
    uint64_t dice = (uint64_t)(uintptr_t)arg;

    a_while(&dice);
    return (int)(uintptr_t)arg;
}

static void joins(uint64_t *dice)
{
    int want = (int)(world_rand(dice) % 100000), r = -1;
    struct quoit_g *g = world_go_apart(lives, (void *)(uintptr_t)want);

    for (;;) {
        int64_t deadline = soon(dice);

        if (outcome(2, quoit_join_until(g, &r, deadline), deadline))
            break;
        if (world_rand(dice) % 4 == 0) {
            quoit_release(g);
            return;
        }
    }
    if (r != want)
        wrong++;
}

/* A place for one, without a lock: NULL, or who waits there. */
static _Atomic(struct quoit_g *) place[4];

struct parking {
    _Atomic(struct quoit_g *) *place;
    struct quoit_g *self;
};

static int take_place(void *arg)
{
    struct parking *w = arg;
    struct quoit_g *seen = NULL;

    return atomic_compare_exchange_strong(w->place, &seen, w->self);
}

static int leave_place(void *arg)
{
    struct parking *w = arg;
    struct quoit_g *seen = w->self;

    return atomic_compare_exchange_strong(w->place, &seen, NULL);
}

static void readies(uint64_t *dice)
{
    struct quoit_g *g = atomic_exchange(&place[world_rand(dice) % 4], NULL);

    if (g == NULL)
        return;
    if (world_rand(dice) % 4 == 0)
        a_while(dice);
    quoit_ready(g);
}

static void parks_or_readies(uint64_t *dice)
{
    struct parking w = { &place[world_rand(dice) % 4], quoit_self() };
    int64_t deadline = soon(dice);

    if (world_rand(dice) % 2)
        readies(dice);
    else
        outcome(3, quoit_park_until(take_place, leave_place, &w, "stress", deadline), deadline);
}

/* ---- all of it ------------------------------------------------------------------------------ */

static int works(void *arg)
{
    uint64_t dice = seed + (uint64_t)(uintptr_t)arg;

    while (world_now() < until) {
        switch (world_rand(&dice) % KINDS) {
        case 0:
            sleeps(&dice);
            break;
        case 1:
            waits_or_posts(&dice);
            break;
        case 2:
            joins(&dice);
            break;
        default:
            parks_or_readies(&dice);
        }
    }
    quoit_wg_done(&over);
    return 0;
}

static void *thread_works(void *arg)
{
    uint64_t dice = seed - (uint64_t)(uintptr_t)arg;

    while (world_now() < until) {
        if (world_rand(&dice) % 2)
            waits_or_posts(&dice);
        else
            readies(&dice);
    }
    quoit_wg_done(&over);
    return NULL;
}

static int all(void *arg)
{
    pthread_t t[THREADS];

    (void)arg;
    quoit_wg_add(&over, WORKERS + THREADS);
    for (uintptr_t i = 0; i < WORKERS; i++)
        world_spawn(works, (void *)i);
    for (uintptr_t i = 0; i < THREADS; i++)
        if (pthread_create(&t[i], NULL, thread_works, (void *)(i + 1)) != 0)
            bail("no thread");
    quoit_wg_wait(&over);
    for (int i = 0; i < THREADS; i++)
        pthread_join(t[i], NULL);
    while (quoit_sema_trywait(&sema) == 0)
        taken++;
    return 0;
}

int main(void)
{
    seed = world_seed();
    until = world_until();
    is_int(world_run(0, all, NULL), 0, "everybody comes back");
    is_int(wrong, 0, "with what was waited for");
    is_int(early, 0, "nobody times out early");
    is_int(taken, posted, "each post is taken once");
    for (int i = 0; i < KINDS; i++) {
        diag("%s: %u in time, %u not", kind_name[i], woken[i], timed_out[i]);
        ok((i == 0 || woken[i] > 0) && timed_out[i] > 0, "%s end both ways", kind_name[i]);
    }
    return done_testing();
}
