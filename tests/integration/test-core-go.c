/* SPDX-License-Identifier: BSD-3-Clause
 * test-core-go.c - goroutines are born with what they were given
 */
#include "quoit.h"

#include "tap.h"
#include "world.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static int nothing(void *arg)
{
    (void)arg;
    return 0;
}

/* ---- errors --------------------------------------------------------------------------------- */

static void refused(void)
{
    struct quoit_attr attr = QUOIT_ATTR_INIT, bad;
    struct quoit_g *g = NULL;
    char big[QUOIT_ARG_MAX + 1] = "";
    struct quoit_stats st = { .size = 4 };

    is_int(quoit_go(NULL, NULL), -EINVAL, "quoit_go without a function");
    is_int(quoit_go_copy(NULL, big, 1), -EINVAL, "quoit_go_copy without a function");
    is_int(quoit_go_copy(nothing, NULL, 1), -EINVAL, "nor without what it is to copy");
    is_int(quoit_go_copy(nothing, big, sizeof big), -E2BIG, "nor more than fits");
    is_int(quoit_go_copy(nothing, big, SIZE_MAX), -E2BIG, "however much");
    is_int(quoit_go_attr(&attr, NULL, NULL), -EINVAL, "quoit_go_attr without a function");
    is_int(quoit_go_attr(NULL, nothing, NULL), -EINVAL, "nor without attributes");
    bad = attr, bad.size = sizeof bad - 1, bad.handle = &g;
    is_int(quoit_go_attr(&bad, nothing, NULL), -EINVAL, "a size that never was");
    bad = attr, bad.flags = 1, bad.handle = &g;
    is_int(quoit_go_attr(&bad, nothing, NULL), -EINVAL, "an unknown flag");
    bad = attr, bad.node = -2, bad.handle = &g;
    is_int(quoit_go_attr(&bad, nothing, NULL), -EINVAL, "a node below none");
    bad = attr, bad.node = 1 << 20, bad.handle = &g;
    is_int(quoit_go_attr(&bad, nothing, NULL), -EINVAL, "a node that is not there");
    bad = attr, bad.stack_size = ((size_t)1 << 30) + 1, bad.handle = &g;
    is_int(quoit_go_attr(&bad, nothing, NULL), -EINVAL, "a stack over 1 GiB");
    ok(g == NULL, "who is refused gets no handle");
    is_int(quoit_num_goroutine(), 1, "and nothing was spawned");
    is_int(quoit_stats(&st), -EINVAL, "quoit_stats into less than its own head");
}

/* ---- arguments ------------------------------------------------------------------------------ */

struct seen {
    quoit_wg wg;
    int good, bad;
};

struct copy {
    struct seen *seen;
    size_t len;
    unsigned char bytes[QUOIT_ARG_MAX - sizeof(struct seen *) - sizeof(size_t)];
};

static int look_at_copy(void *arg)
{
    struct copy *c = arg;
    struct seen *seen = c->seen;
    bool good = (uintptr_t)arg % 16 == 0;

    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < c->len; i++)
            good = good && c->bytes[i] == (unsigned char)(c->len + i + (size_t)round);
        for (size_t i = 0; i < c->len; i++)
            c->bytes[i]++;
        quoit_yield();
    }
    __atomic_add_fetch(good ? &seen->good : &seen->bad, 1, __ATOMIC_RELAXED);
    quoit_wg_done(&seen->wg);
    return 0;
}

static void copies(void)
{
    struct seen seen = { 0 };
    int n = 0;

    for (size_t len = 0; len <= sizeof((struct copy *)0)->bytes; len++, n++) {
        struct copy c = { &seen, len, "" };

        for (size_t i = 0; i < len; i++)
            c.bytes[i] = (unsigned char)(len + i);
        quoit_wg_add(&seen.wg, 1);
        is_int(quoit_go_copy(look_at_copy, &c, offsetof(struct copy, bytes) + len), 0,
               "copy of %zu", len);
        memset(&c, 0xee, sizeof c);
    }
    quoit_wg_wait(&seen.wg);
    is_int(seen.good, n, "each has its own copy, aligned, for as long as it runs");
    is_int(seen.bad, 0, "and none another one's");
}

static void *empty_at;
static quoit_sema empty_ran;

static int empty_copy(void *arg)
{
    empty_at = arg;
    quoit_sema_post(&empty_ran);
    return 0;
}

static void empty_copies(void)
{
    is_int(quoit_go_copy(empty_copy, NULL, 0), 0, "nothing can be copied");
    quoit_sema_wait(&empty_ran);
    ok((uintptr_t)empty_at % 16 == 0, "from nowhere");
}

/* ---- attributes ----------------------------------------------------------------------------- */

static struct quoit_g *handle;
static int seen_handle;

static int has_handle(void *arg)
{
    seen_handle = __atomic_load_n(&handle, __ATOMIC_RELAXED) == quoit_self();
    return (int)(intptr_t)arg;
}

/* Another P may take it while quoit_go_attr has not returned yet. */
static void handle_before_run(void)
{
    struct quoit_attr attr = QUOIT_ATTR_INIT;
    int n = world_rounds(2000), bad = 0;

    attr.handle = &handle;
    for (int i = 0; i < n; i++) {
        int result = -1;

        attr.stack_size = i % 2 ? 0 : 16 << 10;
        if (quoit_go_attr(&attr, has_handle, (void *)(intptr_t)i) != 0)
            bail("quoit_go_attr");
        bad += quoit_join(handle, &result) != 0 || result != i || !seen_handle;
    }
    is_int(bad, 0, "the handle is stored before the goroutine can run");
}

__attribute__((noinline)) static int deep(int n)
{
    volatile char frame[1024];

    frame[0] = (char)n;
    return n > 0 ? deep(n - 1) + frame[0] - (char)n + 1 : 0;
}

static int needs_stack(void *arg)
{
    size_t size = 0;
    int kib = (int)(intptr_t)arg;

    ok(quoit_stack_used(&size) > 0 && size >= (size_t)kib << 10, "%d KiB of stack", kib);
    if (kib > 32)
        is_int(deep(kib / 4 - 8), kib / 4 - 8, "which can be used");
    return 0;
}

static void stack_sizes(void)
{
    static const int kib[] = { 1, 16, 17, 64, 100, 256, 1024, 8192 };

    for (size_t i = 0; i < sizeof kib / sizeof *kib; i++) {
        struct quoit_attr attr = QUOIT_ATTR_INIT;
        struct quoit_g *g;

        attr.stack_size = (size_t)kib[i] << 10;
        attr.handle = &g;
        attr.name = "of a size";
        if (quoit_go_attr(&attr, needs_stack, (void *)(intptr_t)kib[i]) != 0)
            bail("quoit_go_attr");
        world_join(g);
    }
}

static void nodes(void)
{
    struct quoit_attr attr = QUOIT_ATTR_INIT;
    struct quoit_g *g;

    attr.node = 0;
    attr.handle = &g;
    attr.name = "a name that is longer than the thirty-one bytes that are kept of it";
    is_int(quoit_go_attr(&attr, nothing, NULL), 0, "on a node, with a long name");
    is_int(world_join(g), 0, "runs");
}

/* ---- ids ------------------------------------------------------------------------------------ */

enum { SPAWNERS = 8 };

static uint8_t *id_seen;
static uint64_t id_room;
static uint64_t id_twice, id_out;
static quoit_wg id_wg;

static int mark_id(void *arg)
{
    uint64_t id = quoit_goid();

    (void)arg;
    if (id >= id_room)
        __atomic_add_fetch(&id_out, 1, __ATOMIC_RELAXED);
    else if (__atomic_exchange_n(&id_seen[id], 1, __ATOMIC_RELAXED))
        __atomic_add_fetch(&id_twice, 1, __ATOMIC_RELAXED);
    quoit_wg_done(&id_wg);
    return 0;
}

static int spawner(void *arg)
{
    int n = *(int *)arg;

    for (int i = 0; i < n; i++) {
        world_spawn(mark_id, NULL);
        if (i % 500 == 0)
            quoit_yield();
    }
    return 0;
}

static void ids(void)
{
    int each = (world_is_slow() ? 50000 : 1000000) / SPAWNERS;
    struct quoit_g *g[SPAWNERS];

    /* Each P may leave most of its last batch of 16 unused. */
    id_room = quoit_goid() + 64 * 1024 + 4 * SPAWNERS * (uint64_t)each;
    id_seen = calloc(id_room, 1);
    quoit_wg_add(&id_wg, SPAWNERS * each);
    for (int i = 0; i < SPAWNERS; i++)
        g[i] = world_go(spawner, &each);
    for (int i = 0; i < SPAWNERS; i++)
        world_join(g[i]);
    quoit_wg_wait(&id_wg);
    is_int(id_twice, 0, "no id twice among %d", SPAWNERS * each);
    is_int(id_out, 0, "and few are left out");
    free(id_seen);
}

static int all(void *arg)
{
    struct quoit_stats st = { .size = sizeof st };

    (void)arg;
    refused();
    copies();
    empty_copies();
    handle_before_run();
    stack_sizes();
    nodes();
    ids();
    is_int(quoit_stats(&st), 0, "counted");
    ok(st.spawned > st.inplace && st.switches > 0 && st.parked > 0 && st.procs > 0, "all of it");
    return 0;
}

int main(void)
{
    is_int(quoit_main(all, NULL), 0, "ends");
    return done_testing();
}
