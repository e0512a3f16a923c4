/* SPDX-License-Identifier: BSD-3-Clause
 * test-core-threads.c - plain threads come and go, and use Quoit meanwhile
 */
#include "quoit.h"

#include "tap.h"
#include "world.h"

#include <pthread.h>
#include <stdint.h>

enum { THREADS = 64 };

struct office {
    quoit_sema bell, answer;
    quoit_mutex m;
    quoit_wg wg;
    int64_t under_mutex, spawned, copied, woken;
    uint64_t goid, self;
    int rounds;
};

static int counts(void *arg)
{
    struct office *o = arg;

    __atomic_add_fetch(&o->spawned, 1, __ATOMIC_RELAXED);
    quoit_wg_done(&o->wg);
    return 0;
}

static int counts_copy(void *arg)
{
    struct office *o = *(struct office **)arg;

    __atomic_add_fetch(&o->copied, (uintptr_t)arg % 16 == 0, __ATOMIC_RELAXED);
    quoit_wg_done(&o->wg);
    return 0;
}

/* Answers each bell. */
static int serves(void *arg)
{
    struct office *o = arg;

    for (int i = 0; i < o->rounds; i++) {
        quoit_sema_wait(&o->bell);
        quoit_sema_post(&o->answer);
    }
    quoit_wg_done(&o->wg);
    return 0;
}

struct parked {
    struct office *o;
    struct quoit_g *self, *g;
    quoit_sema woken;
};

/* Off its stack: before, it may still lose its turn, and would not be parked when it is readied. */
static int publish(void *arg)
{
    struct parked *p = arg;

    __atomic_store_n(&p->g, p->self, __ATOMIC_RELEASE);
    return 1;
}

static int parks(void *arg)
{
    struct parked *p = arg;
    struct office *o = p->o;

    p->self = quoit_self();
    quoit_park(publish, p, "until a thread comes");
    __atomic_add_fetch(&o->woken, 1, __ATOMIC_RELAXED);
    quoit_sema_post(&p->woken);
    quoit_wg_done(&o->wg);
    return 0;
}

static void ready_one(struct office *o)
{
    struct parked p = { .o = o, .woken = QUOIT_SEMA_INIT };
    struct quoit_g *g;

    quoit_wg_add(&o->wg, 1);
    world_spawn(parks, &p);
    while ((g = __atomic_load_n(&p.g, __ATOMIC_ACQUIRE)) == NULL)
        quoit_yield();
    quoit_ready(g);
    /* What both know of is on this stack. */
    quoit_sema_wait(&p.woken);
}

static void *visits(void *arg)
{
    struct office *o = arg;

    for (int i = 0; i < o->rounds; i++) {
        quoit_wg_add(&o->wg, 2);
        world_spawn(counts, o);
        if (quoit_go_copy(counts_copy, &o, sizeof o) != 0)
            bail("quoit_go_copy");
        quoit_mutex_lock(&o->m);
        o->under_mutex++;
        quoit_mutex_unlock(&o->m);
        quoit_sema_post(&o->bell);
        quoit_sema_wait(&o->answer);
        ready_one(o);
        __atomic_add_fetch(&o->goid, quoit_goid(), __ATOMIC_RELAXED);
        __atomic_add_fetch(&o->self, quoit_self() != NULL, __ATOMIC_RELAXED);
    }
    quoit_wg_done(&o->wg);
    return NULL;
}

static int opens(void *arg)
{
    struct office o = { .rounds = world_rounds(10) };
    pthread_t thread[THREADS];
    int n = THREADS * o.rounds;

    (void)arg;
    quoit_wg_add(&o.wg, 2 * THREADS);
    for (int i = 0; i < THREADS; i++) {
        world_spawn(serves, &o);
        if (pthread_create(&thread[i], NULL, visits, &o))
            bail("no thread");
    }
    quoit_wg_wait(&o.wg);
    for (int i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    is_int(o.spawned, n, "what threads spawned has run");
    is_int(o.copied, n, "with copies too");
    is_int(o.under_mutex, n, "they kept a mutex");
    is_int(o.woken, n, "they readied goroutines");
    ok(o.goid == 0 && o.self == 0, "and are none");
    return 0;
}

int main(void)
{
    int n = world_rounds(3);

    for (int i = 0; i < n; i++)
        is_int(quoit_main(opens, NULL), 0, "ends");
    return done_testing();
}
