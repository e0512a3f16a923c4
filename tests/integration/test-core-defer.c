/* SPDX-License-Identifier: BSD-3-Clause
 * test-core-defer.c - what is given to quoit_defer_free is freed once, when no reader of before is
 * left, and at the end at the latest
 */
#include "quoit.h"

#include "tap.h"
#include "world.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

enum { MANY = 100000, READERS = 3, ROUNDS = 40, HOG_NS = 200000, PAUSE_NS = 1000000, LEFT = 1000 };

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

static uint64_t deferred(void)
{
    struct quoit_stats st = { .size = sizeof st };

    quoit_stats(&st);
    return st.deferred;
}

/* ---- each once ------------------------------------------------------------------------------ */

static uint32_t freed[MANY], total;

static void frees(void *ptr)
{
    add(ptr);
    add(&total);
}

static void give(uint32_t *at, int n)
{
    for (int i = 0; i < n; i++)
        if (quoit_defer_free(&at[i], frees) != 0)
            bail("quoit_defer_free");
}

static void wait_total(uint32_t n)
{
    while (get(&total) < n)
        quoit_sleep(PAUSE_NS);
}

static int not_once(int n)
{
    int bad = 0;

    for (int i = 0; i < n; i++) {
        bad += get(&freed[i]) != 1;
        put(&freed[i], 0);
    }
    put(&total, 0);
    return bad;
}

static int gives_half(void *arg)
{
    int n = *(int *)arg;

    give(freed, n / 2);
    return 0;
}

static void *gives_rest(void *arg)
{
    int n = *(int *)arg;

    give(&freed[n / 2], n - n / 2);
    return NULL;
}

static void each_is_freed_once(void)
{
    int n = world_rounds(MANY);
    uint64_t before = deferred();
    struct quoit_g *g = world_go_apart(gives_half, &n);
    pthread_t thread;

    if (pthread_create(&thread, NULL, gives_rest, &n) != 0)
        bail("no thread");
    world_join(g);
    quoit_syscall_enter();
    pthread_join(thread, NULL);
    quoit_syscall_exit();
    wait_total((uint32_t)n);
    is_int(not_once(n), 0, "each of %d is freed once, by a goroutine and a plain thread", n);
    while (deferred() < before + (uint64_t)n)
        quoit_sleep(PAUSE_NS);
    is_int((long long)(deferred() - before), n, "and counted");
}

static void pinned_ones_may(void)
{
    quoit_pin();
    give(freed, 1);
    quoit_unpin();
    wait_total(1);
    is_int(not_once(1), 0, "one that is pinned may give");
    is_int(quoit_defer_free(freed, NULL), -EINVAL, "a function is needed");
}

/* ---- not too early -------------------------------------------------------------------------- */

static uint32_t version, section[READERS], over, early;
static quoit_wg ended;

static const uint32_t NO_SECTION = UINT32_MAX;

static int reads(void *arg)
{
    int i = (int)(intptr_t)arg;

    while (!get(&over)) {
        put(&section[i], get(&version));
        compute(HOG_NS);
        put(&section[i], NO_SECTION);
        quoit_yield();
    }
    quoit_wg_done(&ended);
    return 0;
}

/* Nobody reads any more who began when the version was an older one. */
static void looks(void *ptr)
{
    for (int i = 0; i < READERS; i++)
        if (get(&section[i]) < (uint32_t)(uintptr_t)ptr)
            add(&early);
    add(&total);
}

static void readers_are_through(void)
{
    int n = world_rounds(ROUNDS);

    quoit_wg_add(&ended, READERS);
    for (int i = 0; i < READERS; i++) {
        put(&section[i], NO_SECTION);
        world_spawn(reads, (void *)(intptr_t)i);
    }
    for (int i = 0; i < n; i++) {
        uint32_t now = __atomic_add_fetch(&version, 1, __ATOMIC_SEQ_CST);

        if (quoit_defer_free((void *)(uintptr_t)now, looks) != 0)
            bail("quoit_defer_free");
        quoit_sleep(PAUSE_NS);
    }
    wait_total((uint32_t)n);
    is_int(get(&early), 0, "no reader of before is left at any of %d", n);
    put(&over, 1);
    quoit_wg_wait(&ended);
    put(&total, 0);
}

/* ---- what it may do ------------------------------------------------------------------------- */

static quoit_sema gate;

static void posts(void *ptr)
{
    quoit_sema_post(ptr);
}

static void again(void *ptr)
{
    if (quoit_defer_free(ptr, posts) != 0)
        bail("no second time");
}

/* Nothing else is left that could go on: that is no deadlock. */
static void it_wakes_and_gives(void)
{
    for (int i = 0; i < ROUNDS; i++) {
        if (quoit_defer_free(&gate, i % 2 == 0 ? again : posts) != 0)
            bail("quoit_defer_free");
        quoit_sema_wait(&gate);
    }
    ok(true, "what is freed may wake and give");
}

/* ---- the end -------------------------------------------------------------------------------- */

static int all(void *arg)
{
    (void)arg;
    each_is_freed_once();
    pinned_ones_may();
    readers_are_through();
    it_wakes_and_gives();
    return 0;
}

static int leaves_some(void *arg)
{
    give(freed, LEFT);
    return arg != NULL;
}

int main(void)
{
    is_int(quoit_defer_free(freed, frees), -ESHUTDOWN, "nobody takes it");
    is_int(world_run(0, all, NULL), 0, "runs");
    is_int(world_run(0, leaves_some, NULL), 0, "runs, and leaves some");
    is_int((int)get(&total), LEFT, "all is freed at the end");
    is_int(not_once(LEFT), 0, "once");
    return done_testing();
}
