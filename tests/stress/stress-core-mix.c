/* SPDX-License-Identifier: BSD-3-Clause
 * stress-core-mix.c - goroutines and threads do everything at once, start after start
 *
 * A tree of goroutines, each of which rolls dice for what it does next: spawn, join, yield, park,
 * hold a mutex, post, compute so long that M's go to sleep. Each P count from 1 to twice the
 * cpus. What has to be true at the end of each start is counted; what hangs is ended by the
 * time-out, and the seed printed.
 */
#include "quoit.h"

#include "tap.h"
#include "world.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { THREADS = 3, DEPTH = 6 };

struct shared {
    quoit_wg wg;
    quoit_mutex m;
    quoit_sema s;
    int64_t spawned, ended, under_mutex, locked, posted;
    struct quoit_g *parked[16];
    int over;
};

struct node {
    struct shared *sh;
    uint64_t dice;
    int depth;
};

static void add(int64_t *n, int64_t more)
{
    __atomic_add_fetch(n, more, __ATOMIC_RELAXED);
}

static int body(void *arg);

static struct node child_of(struct node *n)
{
    return (struct node){ n->sh, (uint64_t)world_rand(&n->dice) << 32 | world_rand(&n->dice),
                          n->depth - 1 };
}

static void spawn_copy(struct node *n)
{
    struct node c = child_of(n);

    quoit_wg_add(&n->sh->wg, 1);
    add(&n->sh->spawned, 1);
    if (quoit_go_copy(body, &c, sizeof c) != 0)
        bail("quoit_go_copy");
}

static int joined(void *arg)
{
    struct node *n = arg;

    quoit_wg_add(&n->sh->wg, 1);
    add(&n->sh->spawned, 1);
    body(n);
    if (world_rand(&n->dice) % 4 == 0)
        quoit_goexit(n->depth);
    return n->depth;
}

static void spawn_join(struct node *n)
{
    enum { MOST = 4 };
    struct node c[MOST];
    struct quoit_g *g[MOST];
    int count = 1 + (int)(world_rand(&n->dice) % MOST);

    for (int i = 0; i < count; i++) {
        c[i] = child_of(n);
        g[i] = world_rand(&n->dice) % 3 ? world_go(joined, &c[i]) : world_go_apart(joined, &c[i]);
        if (world_rand(&n->dice) % 3 == 0)
            quoit_yield();
    }
    for (int i = count; i-- > 0;)
        if (world_join(g[i]) != n->depth - 1)
            bail("a wrong result");
}

static struct quoit_g *take_parked(struct shared *sh, unsigned at)
{
    return __atomic_exchange_n(&sh->parked[at % 16], NULL, __ATOMIC_ACQ_REL);
}

struct parking {
    struct quoit_g **at, *self;
};

/* Only into an empty place, so that nobody is overwritten. */
static int publish(void *arg)
{
    struct parking *p = arg;
    struct quoit_g *none = NULL;

    return __atomic_compare_exchange_n(p->at, &none, p->self, 0, __ATOMIC_ACQ_REL,
                                       __ATOMIC_RELAXED);
}

static void hold_mutex(struct node *n)
{
    quoit_mutex_lock(&n->sh->m);
    n->sh->under_mutex++;
    if (world_rand(&n->dice) % 4 == 0)
        quoit_yield();
    quoit_mutex_unlock(&n->sh->m);
    add(&n->sh->locked, 1);
}

static void compute(struct node *n)
{
    int64_t until = world_now() + world_rand(&n->dice) % 80000;

    while (world_now() < until)
        ;
}

static void wake_one(struct node *n)
{
    struct quoit_g *g = take_parked(n->sh, world_rand(&n->dice));

    if (g != NULL)
        quoit_ready(g);
}

static void act(struct node *n)
{
    struct parking p = { &n->sh->parked[world_rand(&n->dice) % 16], quoit_self() };

    switch (world_rand(&n->dice) % 9) {
    case 0:
        if (n->depth > 0)
            spawn_copy(n);
        break;
    case 1:
        if (n->depth > 0)
            spawn_join(n);
        break;
    case 2:
        if (p.self != NULL)
            quoit_park(publish, &p, "in a place");
        break;
    case 3:
        wake_one(n);
        break;
    case 4:
        hold_mutex(n);
        break;
    case 5:
        add(&n->sh->posted, 1);
        quoit_sema_post(&n->sh->s);
        break;
    case 6:
        if (quoit_sema_trywait(&n->sh->s) == 0)
            add(&n->sh->posted, -1);
        break;
    case 7:
        compute(n);
        break;
    default:
        quoit_yield();
        break;
    }
}

static int body(void *arg)
{
    struct node *n = arg;

    for (int i = 0; i < 8; i++)
        act(n);
    add(&n->sh->ended, 1);
    quoit_wg_done(&n->sh->wg);
    return 0;
}

/* A plain thread: it spawns, posts, wakes; what would need a goroutine it leaves. */
static void *visitor(void *arg)
{
    struct node *n = arg;

    for (int i = 0; i < 30; i++) {
        struct node c = child_of(n);

        quoit_wg_add(&n->sh->wg, 1);
        add(&n->sh->spawned, 1);
        if (quoit_go_copy(body, &c, sizeof c) != 0)
            bail("quoit_go_copy");
        wake_one(n);
        hold_mutex(n);
    }
    quoit_wg_done(&n->sh->wg);
    return NULL;
}

/* Those that parked last have nobody left to wake them. */
static int wakes_all(void *arg)
{
    struct shared *sh = arg;

    while (!__atomic_load_n(&sh->over, __ATOMIC_RELAXED)) {
        for (unsigned i = 0; i < 16; i++) {
            struct quoit_g *g = take_parked(sh, i);

            if (g != NULL)
                quoit_ready(g);
        }
        quoit_yield();
    }
    return 0;
}

static int one_start(void *arg)
{
    struct shared sh = { 0 };
    struct node n = { &sh, *(uint64_t *)arg, DEPTH }, v[THREADS];
    pthread_t thread[THREADS];
    struct quoit_g *waker;

    quoit_wg_add(&sh.wg, THREADS);
    for (int i = 0; i < THREADS; i++) {
        v[i] = child_of(&n);
        v[i].depth = 3;
        if (pthread_create(&thread[i], NULL, visitor, &v[i]))
            bail("no thread");
    }
    for (int i = 0; i < 10; i++)
        spawn_copy(&n);
    waker = world_go_apart(wakes_all, &sh);
    quoit_wg_wait(&sh.wg);
    __atomic_store_n(&sh.over, 1, __ATOMIC_RELAXED);
    world_join(waker);
    for (int i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    while (quoit_sema_trywait(&sh.s) == 0)
        sh.posted--;
    if (sh.spawned != sh.ended)
        bail("%d of %d goroutines ran", (int)sh.ended, (int)sh.spawned);
    if (sh.under_mutex != sh.locked)
        bail("%d of %d under the mutex", (int)sh.under_mutex, (int)sh.locked);
    if (sh.posted != 0)
        bail("%d posts lost or gained", (int)sh.posted);
    while (quoit_num_goroutine() > 1)
        quoit_yield();
    add((int64_t *)arg + 1, sh.ended);
    return 0;
}

int main(void)
{
    int64_t until = world_until();
    uint64_t seed = world_seed(), arg[2] = { seed, 0 };
    int cpus = (int)sysconf(_SC_NPROCESSORS_ONLN), starts = 0;

    for (; world_now() < until; starts++) {
        int e;

        arg[0] = seed + (uint64_t)starts;
        e = world_run(1 + starts % (2 * cpus), one_start, arg);
        if (e != 0)
            bail("start %d: %s", starts, strerror(-e));
    }
    diag("%d starts, %d goroutines", starts, (int)arg[1]);
    ok(starts > 0 && arg[1] > 0, "every goroutine ran, nothing was lost");
    return done_testing();
}
