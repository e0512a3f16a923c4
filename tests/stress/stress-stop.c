/* SPDX-License-Identifier: BSD-3-Clause
 * stress-stop.c - the world stops and starts again and again, under all the load there is
 *
 * Each of the crowd takes steps while the world goes on. In a stopped world nobody takes one; after
 * the last start everybody does: nobody was left behind.
 */
#include "quoit.h"
#include "quoit_io.h"

#include "compiler.h"

#include "tap.h"
#include "world.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* QUOIT_STRESS_SECONDS times as many: 120000 in the soak set-up. */
enum { ROUNDS = 1000, STILL_NS = 5000, NAP_NS = 100000, SEEN_EACH = 100,
       PROCS_MOST = 1024 };

#define LONG_NS (60 * INT64_C(1000000000))

struct actor {
    uint64_t steps; /* it alone writes them */
    int fds[2];
    struct quoit_g *self, *parked;
    pthread_t thread;
} cacheline_aligned;

static int over;
static quoit_wg wg;
static uint64_t turns[PROCS_MOST]; /* steps on each P; by who is pinned there */

static bool going_on(struct actor *a)
{
    int p = quoit_pin();

    __atomic_store_n(&turns[p], turns[p] + 1, __ATOMIC_RELAXED);
    quoit_unpin();
    __atomic_store_n(&a->steps, a->steps + 1, __ATOMIC_RELAXED);
    return !__atomic_load_n(&over, __ATOMIC_RELAXED);
}

/* ---- the crowd ------------------------------------------------------------------------------ */

static void yields(struct actor *a)
{
    while (going_on(a))
        quoit_yield();
}

static int publish(void *arg)
{
    struct actor *a = arg;

    __atomic_store_n(&a->parked, a->self, __ATOMIC_RELEASE);
    return 1;
}

static int readies(void *arg)
{
    struct actor *a = arg;
    struct quoit_g *g;

    while ((g = __atomic_exchange_n(&a->parked, NULL, __ATOMIC_ACQ_REL)) == NULL)
        quoit_yield();
    quoit_ready(g);
    quoit_wg_done(&wg);
    return 0;
}

static void parks(struct actor *a)
{
    a->self = quoit_self();
    while (going_on(a)) {
        quoit_wg_add(&wg, 1);
        world_spawn(readies, a);
        quoit_park(publish, a, "until readied");
    }
}

static void nap(int64_t ns)
{
    struct timespec t = { 0, ns };

    nanosleep(&t, NULL);
}

static void marked(struct actor *a)
{
    while (going_on(a)) {
        quoit_syscall_enter();
        if (a->steps % 2)
            nap(NAP_NS);
        quoit_syscall_exit();
    }
}

static int naps(void *arg unused_arg)
{
    nap(NAP_NS);
    return 0;
}

static void blocks(struct actor *a)
{
    while (going_on(a))
        quoit_block(naps, NULL);
}

/* The stop waits until it comes in. */
static void unmarked(struct actor *a)
{
    while (going_on(a)) {
        if (a->steps % 64 == 0)
            nap(NAP_NS);
        quoit_yield();
    }
}

static void sleeps(struct actor *a)
{
    while (going_on(a))
        quoit_sleep(NAP_NS);
}

static void reads(struct actor *a)
{
    char c;

    if (pipe(a->fds) != 0)
        bail("pipe");
    while (going_on(a))
        if (quoit_write(a->fds[1], "x", 1) != 1 || quoit_read(a->fds[0], &c, 1) != 1)
            bail("a pipe");
    close(a->fds[0]);
    close(a->fds[1]);
}

static void locked(struct actor *a)
{
    quoit_lock_thread();
    yields(a);
    quoit_unlock_thread();
}

/* A thread of the program: attached, for some steps at a time. */
static void visits(struct actor *a)
{
    bool more = true;

    while (more) {
        if (quoit_attach() != 0)
            bail("quoit_attach");
        for (int i = 0; i < 10 && more; i++) {
            more = going_on(a);
            if (i % 3 == 0)
                quoit_sleep(NAP_NS);
            else
                quoit_yield();
        }
        quoit_detach();
    }
}

static const struct kind {
    const char *name;
    int n;
    bool thread;
    void (*fn)(struct actor *a);
} kinds[] = {
    { "yielders", 8, false, yields },
    { "parkers", 8, false, parks },
    { "in marked calls", 4, false, marked },
    { "in blocking calls", 2, false, blocks },
    { "in unmarked calls", 2, false, unmarked },
    { "sleepers", 4, false, sleeps },
    { "readers and writers", 4, false, reads },
    { "locked to threads", 2, false, locked },
    { "attached threads", 3, true, visits },
};

enum { KINDS = sizeof kinds / sizeof kinds[0], MOST = 8 };

static struct actor actors[KINDS][MOST];

static const struct kind *kind_of(const struct actor *a)
{
    return &kinds[(a - &actors[0][0]) / MOST];
}

static int acts(void *arg)
{
    kind_of(arg)->fn(arg);
    quoit_wg_done(&wg);
    return 0;
}

static void *acts_in_thread(void *arg)
{
    kind_of(arg)->fn(arg);
    return NULL;
}

static void begin(struct actor *a)
{
    if (kind_of(a)->thread) {
        if (pthread_create(&a->thread, NULL, acts_in_thread, a) != 0)
            bail("pthread_create");
        return;
    }
    quoit_wg_add(&wg, 1);
    world_spawn(acts, a);
}

static void end(struct actor *a)
{
    if (!kind_of(a)->thread)
        return;
    quoit_syscall_enter();
    pthread_join(a->thread, NULL);
    quoit_syscall_exit();
}

static void each(void (*fn)(struct actor *a))
{
    for (int k = 0; k < KINDS; k++)
        for (int i = 0; i < kinds[k].n; i++)
            fn(&actors[k][i]);
}

static uint64_t steps(const struct actor *a)
{
    return __atomic_load_n(&a->steps, __ATOMIC_RELAXED);
}

static uint64_t sum(int k)
{
    uint64_t n = 0;

    for (int i = 0; i < kinds[k].n; i++)
        n += steps(&actors[k][i]);
    return n;
}

static uint64_t sum_all(void)
{
    uint64_t n = 0;

    for (int k = 0; k < KINDS; k++)
        n += sum(k);
    return n;
}

/* ---- rounds --------------------------------------------------------------------------------- */

/* 1: somebody took a step in the stopped world. */
static int look(void)
{
    int64_t until = world_now() + STILL_NS;
    uint64_t before = sum_all();

    while (world_now() < until)
        ;
    return sum_all() != before;
}

static int stop_once(int64_t *took)
{
    int64_t begun = world_now(), stopped;
    int moved;

    if (quoit_stop_world(INT64_MAX, 0) != 0)
        bail("quoit_stop_world");
    stopped = world_now();
    moved = look();
    *took = stopped - begun - world_now();
    quoit_start_world();
    *took += world_now();
    return moved;
}

static int earlier(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

    return (x > y) - (x < y);
}

static uint64_t stops_now(void)
{
    struct quoit_stats st = { .size = sizeof st };

    quoit_stats(&st);
    return st.world_stops;
}

static void rounds(int n)
{
    int64_t *took = calloc((size_t)n, sizeof *took);
    uint64_t before = stops_now();
    int moved = 0;

    if (took == NULL)
        bail("no memory");
    for (int i = 0; i < n; i++) {
        moved += stop_once(&took[i]);
        quoit_yield();
    }
    is_int(moved, 0, "nobody takes a step in %d stopped worlds", n);
    is_int(stops_now() - before, n, "and as many are counted");
    qsort(took, (size_t)n, sizeof *took, earlier);
    diag("to stop and start: half in %.1f us, all but one of a hundred in %.1f us, all in %.1f us",
         (double)took[n / 2] / 1e3, (double)took[n - 1 - n / 100] / 1e3,
         (double)took[n - 1] / 1e3);
    free(took);
}

static uint64_t seen[KINDS][MOST], seen_turns[PROCS_MOST];

/* P's that nobody has had. */
static int unused(int procs)
{
    int n = 0;

    for (int i = 0; i < procs; i++)
        n += __atomic_load_n(&turns[i], __ATOMIC_RELAXED) == seen_turns[i];
    return n;
}

static int left_behind(void)
{
    int n = 0;

    for (int k = 0; k < KINDS; k++)
        for (int i = 0; i < kinds[k].n; i++)
            n += steps(&actors[k][i]) == seen[k][i];
    return n;
}

static void all_go_on(int procs)
{
    int64_t until = world_now() + LONG_NS;

    for (int k = 0; k < KINDS; k++)
        for (int i = 0; i < kinds[k].n; i++)
            seen[k][i] = steps(&actors[k][i]);
    for (int i = 0; i < procs; i++)
        seen_turns[i] = __atomic_load_n(&turns[i], __ATOMIC_RELAXED);
    while (left_behind() + unused(procs) > 0 && world_now() < until)
        quoit_yield();
    is_int(left_behind(), 0, "nobody is left behind");
    is_int(unused(procs), 0, "and no P");
}

static int body(void *arg unused_arg)
{
    int n = world_rounds(ROUNDS);

    each(begin);
    rounds(n);
    all_go_on(world_procs());
    __atomic_store_n(&over, 1, __ATOMIC_RELAXED);
    each(end);
    quoit_wg_wait(&wg);
    for (int k = 0; k < KINDS; k++)
        ok(sum(k) > (uint64_t)n / SEEN_EACH, "%llu steps of %d %s", (unsigned long long)sum(k),
           kinds[k].n, kinds[k].name);
    return 7;
}

int main(void)
{
    is_int(quoit_main(body, NULL), 7, "all end");
    return done_testing();
}
