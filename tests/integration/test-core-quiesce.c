/* SPDX-License-Identifier: BSD-3-Clause
 * test-core-quiesce.c - every goroutine is visited at a safe point, once
 */
#include "quoit.h"

#include "tap.h"
#include "world.h"

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 10000, FEW = 600, KINDS = 6, HOGS = 3, ROUNDS = 20 };
enum { HOG_NS = 200000, LOOK_NS = 20000, SLEEP_NS = 20000000 };

/* What the k-th goroutine does, k modulo KINDS; the first few of the last kind compute, and the
 * first few of the one before sit in a marked call: the others of those two yield. */
enum kind { WAITS, SLEEPS, BEGINS, YIELDS, CALLS, COMPUTES };

static int n;
static uint32_t visited[MOST];
static uint64_t moves[MOST];
static uint32_t over, hogs, calls, wrong, moved, others;
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

static void move(int i)
{
    __atomic_fetch_add(&moves[i], 1, __ATOMIC_RELAXED);
}

/* ---- goroutines in all states --------------------------------------------------------------- */

static void in_a_call(void)
{
    char c;

    quoit_syscall_enter();
    while (read(fds[0], &c, 1) < 0 && errno == EINTR)
        ;
    quoit_syscall_exit();
}

static void does(enum kind kind, int i)
{
    if (kind == WAITS) {
        quoit_sema_wait(&gate);
        return;
    }
    while (!get(&over)) {
        if (kind == SLEEPS) {
            quoit_sleep(SLEEP_NS);
        } else {
            move(i);
            if (kind == COMPUTES)
                compute(HOG_NS);
            quoit_yield();
        }
    }
}

static int lives(void *arg)
{
    int i = (int)(intptr_t)arg;
    enum kind kind = (enum kind)(i % KINDS);

    if (kind == CALLS && i / KINDS < HOGS) {
        add(&calls);
        in_a_call();
    } else if (kind == COMPUTES && i / KINDS < HOGS) {
        add(&hogs);
        does(COMPUTES, i);
    } else {
        does(kind >= CALLS ? YIELDS : kind, i);
    }
    quoit_wg_done(&ended);
    return 0;
}

static int nothing(void *arg)
{
    (void)arg;
    return 0;
}

/* These come and go: they need not be visited. */
static int spawns(void *arg)
{
    (void)arg;
    while (!get(&over)) {
        world_join(world_go_apart(nothing, NULL));
        quoit_yield();
    }
    quoit_wg_done(&ended);
    return 0;
}

static void spawn_named(int i)
{
    char name[16];
    struct quoit_attr attr = QUOIT_ATTR_INIT;

    snprintf(name, sizeof name, "n %d", i);
    attr.name = name;
    if (quoit_go_attr(&attr, lives, (void *)(intptr_t)i) != 0)
        bail("no goroutine");
}

static void spawn_all(void)
{
    put(&over, 0);
    put(&hogs, 0);
    put(&calls, 0);
    quoit_wg_add(&ended, n + 1);
    world_spawn(spawns, NULL);
    for (int i = 0; i < n; i++)
        spawn_named(i);
    while (get(&hogs) < HOGS || get(&calls) < HOGS)
        quoit_sleep(1000000);
}

static void end_all(void)
{
    put(&over, 1);
    for (int i = 0; i < HOGS; i++)
        if (write(fds[1], "", 1) != 1)
            bail("no write");
    for (int i = 0; i < n; i++)
        if (i % KINDS == WAITS)
            quoit_sema_post(&gate);
    quoit_wg_wait(&ended);
}

/* ---- visits --------------------------------------------------------------------------------- */

static bool is_as_it_should(const struct quoit_ginfo *g, int i)
{
    bool call = i % KINDS == CALLS && i / KINDS < HOGS;

    if (g->size != sizeof *g || g->id == 0 || g->node < 0)
        return false;
    if (strcmp(g->state, "waiting") == 0)
        return g->reason != NULL && g->wait_ns >= 0 && !call;
    if (g->reason != NULL || g->wait_ns != 0)
        return false;
    return strcmp(g->state, call ? "syscall" : "runnable") == 0;
}

static int visit(const struct quoit_ginfo *g, void *arg)
{
    uint64_t before;
    int i;

    (void)arg;
    if (sscanf(g->name, "n %d", &i) != 1) {
        add(&others);
        return 0;
    }
    before = __atomic_load_n(&moves[i], __ATOMIC_RELAXED);
    add(&visited[i]);
    if (!is_as_it_should(g, i)) {
        diag("%s: %s, %s", g->name, g->state, g->reason ? g->reason : "");
        add(&wrong);
    }
    if (i < 20 * KINDS)
        compute(LOOK_NS);
    if (__atomic_load_n(&moves[i], __ATOMIC_RELAXED) != before)
        add(&moved);
    return 0;
}

/* How many have been visited another number of times than `times`. */
static int not_visited(uint32_t times)
{
    int bad = 0;

    for (int i = 0; i < n; i++) {
        bad += get(&visited[i]) != times;
        put(&visited[i], 0);
    }
    return bad;
}

static void *visits_too(void *arg)
{
    return (void *)(intptr_t)quoit_quiesce(visit, arg);
}

static void each_is_visited(void)
{
    spawn_all();
    is_int(quoit_quiesce(visit, NULL), 0, "a visit to all of %d", n);
    is_int(not_visited(1), 0, "each is visited once");
    ok(get(&others) >= 1, "the caller too");
    is_int(get(&wrong), 0, "in a state that it may be in");
    is_int(get(&moved), 0, "none goes on meanwhile");
    end_all();
}

static void from_everywhere(void)
{
    pthread_t thread;
    void *r;

    spawn_all();
    if (pthread_create(&thread, NULL, visits_too, NULL) != 0)
        bail("no thread");
    is_int(quoit_quiesce(visit, NULL), 0, "two at a time, a goroutine");
    quoit_syscall_enter();
    pthread_join(thread, &r);
    quoit_syscall_exit();
    is_int((intptr_t)r, 0, "and a plain thread");
    is_int(not_visited(2), 0, "each is visited by both");
    is_int(get(&wrong) + get(&moved), 0, "at a safe point");
    end_all();
}

static int stops(const struct quoit_ginfo *g, void *arg)
{
    (void)g;
    return ++*(int *)arg == 2 ? 42 : 0;
}

static int again(const struct quoit_ginfo *g, void *arg)
{
    (void)g;
    *(int *)arg = quoit_quiesce(stops, arg);
    return 1;
}

static void stops_and_errors(void)
{
    int count = 0, r = 0;

    spawn_all();
    is_int(quoit_quiesce(stops, &count), 42, "what the visitor returns");
    is_int(count, 2, "ends the walk");
    is_int(quoit_quiesce(NULL, NULL), -EINVAL, "a visitor is needed");
    quoit_quiesce(again, &r);
    is_int(r, -EDEADLK, "a visit in a visit");
    end_all();
}

/* It calls Quoit and never gives way by itself. */
static int pins_only(void *arg)
{
    (void)arg;
    add(&hogs);
    while (!get(&over)) {
        move(0);
        compute(LOOK_NS);
        quoit_pin();
        quoit_unpin();
    }
    quoit_wg_done(&ended);
    return 0;
}

static int visit_one(const struct quoit_ginfo *g, void *arg)
{
    uint64_t before = __atomic_load_n(&moves[0], __ATOMIC_RELAXED);

    (void)arg;
    if (strcmp(g->name, "pins") != 0)
        return 0;
    add(&visited[0]);
    compute(HOG_NS);
    if (strcmp(g->state, "running") == 0 || __atomic_load_n(&moves[0], __ATOMIC_RELAXED) != before)
        add(&moved);
    return 0;
}

static void who_never_yields_is_visited(void)
{
    struct quoit_attr attr = QUOIT_ATTR_INIT;

    if (world_procs() == 1) {
        skip("nobody can ask while the only P is taken");
        return;
    }
    attr.name = "pins";
    put(&over, 0);
    put(&hogs, 0);
    quoit_wg_add(&ended, 1);
    if (quoit_go_attr(&attr, pins_only, NULL) != 0)
        bail("no goroutine");
    while (get(&hogs) == 0)
        quoit_yield();
    for (int i = 0; i < ROUNDS; i++)
        quoit_quiesce(visit_one, NULL);
    is_int(get(&visited[0]), ROUNDS, "who calls Quoit and never yields is visited");
    is_int(get(&moved), 0, "at a safe point");
    put(&over, 1);
    quoit_wg_wait(&ended);
}

static int all(void *arg)
{
    (void)arg;
    n = world_rounds(MOST);
    each_is_visited();
    n = world_rounds(FEW);
    from_everywhere();
    stops_and_errors();
    who_never_yields_is_visited();
    return 0;
}

int main(void)
{
    if (pipe(fds) != 0)
        bail("no pipe");
    is_int(quoit_quiesce(visit, NULL), -ESHUTDOWN, "there is nobody to visit");
    is_int(world_run(0, all, NULL), 0, "runs");
    return done_testing();
}
