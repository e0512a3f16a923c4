/* SPDX-License-Identifier: BSD-3-Clause
 * test-core-join.c - waiting for a goroutine to end, and running it on the spot
 */
#include "quoit.h"

#include "tap.h"
#include "world.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>

static int nothing(void *arg)
{
    (void)arg;
    return 0;
}

static int value(void *arg)
{
    return (int)(intptr_t)arg;
}

static uint64_t inplace(void)
{
    struct quoit_stats st = { .size = sizeof st };

    quoit_stats(&st);
    return st.inplace;
}

/* ---- results -------------------------------------------------------------------------------- */

static void results(void)
{
    struct quoit_g *g[100];
    int bad = 0;

    for (int i = 0; i < 100; i++)
        g[i] = i % 3 ? world_go(value, (void *)(intptr_t)i) :
                       world_go_apart(value, (void *)(intptr_t)i);
    for (int i = 0; i < 100; i++)
        bad += world_join(g[i]) != i;
    is_int(bad, 0, "each result is its own goroutine's");
    is_int(world_join(world_go(value, (void *)(intptr_t)INT32_MIN)), INT32_MIN, "any int");
    is_int(quoit_join(world_go(value, NULL), NULL), 0, "or none that is wanted");
}

static void no_goroutine(void)
{
    int result = 5;

    is_int(quoit_join(NULL, &result), -EINVAL, "nobody can be waited for");
    is_int(result, 5, "and has no result");
    quoit_release(NULL);
    ok(true, "and is released as free(NULL) frees");
}

static int joins_self(void *arg)
{
    (void)arg;
    return quoit_join(quoit_self(), NULL);
}

static int goexits(void *arg)
{
    quoit_goexit((int)(intptr_t)arg);
    return 0;
}

static int yields_and_goexits(void *arg)
{
    for (int i = 0; i < 5; i++)
        quoit_yield();
    quoit_goexit((int)(intptr_t)arg);
    return 0;
}

static void ways_to_end(void)
{
    is_int(world_join(world_go_apart(joins_self, NULL)), -EDEADLK, "nobody waits for itself");
    is_int(world_join(world_go(joins_self, NULL)), -EDEADLK, "in place neither");
    is_int(world_join(world_go_apart(goexits, (void *)8)), 8, "quoit_goexit has a result");
    is_int(world_join(world_go(goexits, (void *)9)), 9, "in place it returns to the joiner");
    is_int(world_join(world_go(yields_and_goexits, (void *)10)), 10, "also after a switch");
    is_int(world_join(world_go_apart(yields_and_goexits, (void *)11)), 11, "and apart");
}

/* ---- in place ------------------------------------------------------------------------------- */

struct who {
    struct quoit_g *self;
    uint64_t id;
    uintptr_t frame;
};

static uintptr_t frame(void)
{
    return (uintptr_t)__builtin_frame_address(0);
}

static int who(void *arg)
{
    struct who *w = arg;

    w->self = quoit_self();
    w->id = quoit_goid();
    w->frame = frame();
    return 0;
}

static bool same_stack(uintptr_t a, uintptr_t b)
{
    return (a > b ? a - b : b - a) < 16 << 10;
}

/* On more than one P somebody else may take the child first: then it is tried again. */
static void on_the_spot(void)
{
    struct who w;
    struct quoit_g *child, *self = quoit_self();
    uint64_t before, id = quoit_goid();
    int tries = 0;

    do {
        before = inplace();
        child = world_go(who, &w);
        world_join(child);
    } while (inplace() == before && ++tries < 100000);
    is_int(inplace(), before + 1, "the newest child runs in place");
    ok(w.self == child && w.self != self, "it is itself");
    ok(w.id != id && w.id != 0, "with its own id");
    if (!world_is_slow())
        ok(same_stack(w.frame, frame()), "on the joiner's stack");
    ok(quoit_self() == self && quoit_goid() == id, "the joiner is itself again");
    before = inplace();
    world_join(world_go_apart(who, &w));
    is_int(inplace(), before, "one that asked for a stack has its own");
    ok(!same_stack(w.frame, frame()), "indeed");
}

struct gate {
    struct quoit_g *parked;
    int opened;
};

static int set_parked(void *arg)
{
    struct gate *gate = arg;

    /* quoit_self() would be whoever runs now: the goroutine was stored before. */
    __atomic_store_n(&gate->opened, 1, __ATOMIC_RELEASE);
    return 1;
}

static int parks_once(void *arg)
{
    struct gate *gate = arg;

    gate->parked = quoit_self();
    quoit_park(set_parked, gate, "gate");
    return gate->opened == 2 ? 77 : 78;
}

/* Runs wherever there is a P. */
static int opens(void *arg)
{
    struct gate *gate = arg;

    while (__atomic_load_n(&gate->opened, __ATOMIC_ACQUIRE) == 0)
        quoit_yield();
    gate->opened = 2;
    quoit_ready(gate->parked);
    return 0;
}

static int keeps_busy(void *arg)
{
    while (__atomic_load_n((int *)arg, __ATOMIC_RELAXED) == 0)
        quoit_yield();
    return 0;
}

static void in_place_and_parked(void)
{
    int n = world_rounds(300), bad = 0, stop = 0;
    struct quoit_g *busy = world_go_apart(keeps_busy, &stop);

    for (int i = 0; i < n; i++) {
        struct gate gate = { 0 };
        struct quoit_g *opener = world_go_apart(opens, &gate);

        bad += world_join(world_go(parks_once, &gate)) != 77;
        bad += world_join(opener) != 0;
    }
    __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
    world_join(busy);
    is_int(bad, 0, "one that parks in place goes on wherever it is readied, then the joiner");
}

/* Each level waits for one in place below it, until there is no more room. */
static int deeper(void *arg)
{
    int *depth = arg;

    if (++*depth == 2000)
        return 0;
    return world_join(world_go(deeper, depth)) + 1;
}

static void recursion(void)
{
    int depth = 0;
    uint64_t before = inplace(), done;

    is_int(world_join(world_go_apart(deeper, &depth)), 1999, "2000 levels of joins");
    done = inplace() - before;
    ok(done < 1999, "not all in place: stacks are left with some room (%d were)", (int)done);
    if (world_procs() == 1 && !world_is_slow())
        ok(done > 1000, "but most");
}

static int fib(void *arg)
{
    int n = (int)(intptr_t)arg;
    struct quoit_g *g;
    int other;

    if (n < 2)
        return n;
    g = world_go(fib, (void *)(intptr_t)(n - 1));
    other = fib((void *)(intptr_t)(n - 2));
    return world_join(g) + other;
}

/* ---- running and ended ones ----------------------------------------------------------------- */

static int waits(void *arg)
{
    quoit_sema_wait(arg);
    return 3;
}

static int posts(void *arg)
{
    quoit_sema_post(arg);
    return 4;
}

static void running_and_ended(void)
{
    quoit_sema gate = QUOIT_SEMA_INIT;
    struct quoit_g *g = world_go_apart(waits, &gate), *h;

    for (int i = 0; i < 10; i++)
        quoit_yield();
    h = world_go_apart(posts, &gate);
    is_int(world_join(g), 3, "a running one is waited for");
    while (quoit_num_goroutine() > 1)
        quoit_yield();
    is_int(world_join(h), 4, "one that has ended is not");
}

struct held {
    quoit_sema gate;
    quoit_wg wg;
};

static int waits_and_says_so(void *arg)
{
    struct held *h = arg;

    quoit_sema_wait(&h->gate);
    quoit_wg_done(&h->wg);
    return 0;
}

static int releases(void *arg)
{
    quoit_release(arg);
    return 0;
}

static void release(void)
{
    int n = world_rounds(1000);

    for (int i = 0; i < n; i++) {
        struct held held = { 0 };
        struct quoit_g *g = world_go(waits_and_says_so, &held), *h = world_go(nothing, NULL);

        quoit_wg_add(&held.wg, 1);
        quoit_release(g);
        quoit_sema_post(&held.gate);
        quoit_wg_wait(&held.wg);
        if (i % 2)
            while (quoit_num_goroutine() > 1)
                quoit_yield();
        quoit_release(h);
        world_join(world_go(releases, world_go(nothing, NULL)));
        while (quoit_num_goroutine() > 1)
            quoit_yield();
    }
    is_int(quoit_num_goroutine(), 1, "handles let go before and after the end");
}

/* ---- plain threads -------------------------------------------------------------------------- */

struct foreign {
    struct quoit_g *g;
    quoit_sema done;
};

static void *release_outside(void *arg)
{
    struct foreign *f = arg;

    quoit_release(f->g);
    quoit_sema_post(&f->done);
    return NULL;
}

static void outside(void)
{
    int n = world_rounds(50);

    for (int i = 0; i < n; i++) {
        struct foreign f = { .g = world_go(value, NULL) };
        pthread_t other;

        if (pthread_create(&other, NULL, release_outside, &f))
            bail("no thread");
        /* Before its end or after. */
        if (i % 2)
            while (quoit_num_goroutine() > 1)
                quoit_yield();
        quoit_sema_wait(&f.done);
        pthread_join(other, NULL);
        while (quoit_num_goroutine() > 1)
            quoit_yield();
    }
    is_int(quoit_num_goroutine(), 1, "a plain thread lets handles go");
}

static int all(void *arg)
{
    int n = world_rounds(1000000), bad = 0;

    (void)arg;
    results();
    no_goroutine();
    ways_to_end();
    on_the_spot();
    in_place_and_parked();
    recursion();
    is_int(fib((void *)(intptr_t)(world_is_slow() ? 12 : 22)), world_is_slow() ? 144 : 17711,
           "fork and join as a tree");
    running_and_ended();
    release();
    for (int i = 0; i < n; i++)
        bad += world_join(world_go(value, (void *)(intptr_t)i)) != i;
    is_int(bad, 0, "%d joins one after the other", n);
    outside();
    return 0;
}

int main(void)
{
    is_int(quoit_main(all, NULL), 0, "ends");
    return done_testing();
}
