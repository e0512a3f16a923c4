/* SPDX-License-Identifier: BSD-3-Clause
 * stress-foreign.c - threads of the program come, do all that goroutines may, and go
 *
 * Each thread of the program attaches, rolls dice for a while, and detaches, or ends attached;
 * another takes its place. Goroutines do the same at their side, the number of P's changes, the
 * world is stopped. At the end nothing is left of the threads.
 */
#include "quoit.h"
#include "quoit_io.h"

#include "tap.h"
#include "world.h"

#include <dirent.h>
#include <pthread.h>
#include <stdint.h>
#include <unistd.h>

enum { THREADS = 64, KINDS = 12, TURNS = 20 };

static struct town {
    quoit_mutex m;
    quoit_sema ping, pong;
    quoit_wg wg;
    int64_t until, under_mutex;
    int fds[2];
    int64_t done[KINDS], visits, ended_attached;
    int over;
} town;

static void add(int64_t *n)
{
    __atomic_add_fetch(n, 1, __ATOMIC_RELAXED);
}

static int returns(void *arg)
{
    quoit_yield();
    return (int)(intptr_t)arg;
}

static int naps(void *arg)
{
    return usleep(*(unsigned *)arg);
}

static void joins(int n)
{
    struct quoit_g *g[4];

    for (int i = 0; i < 4; i++)
        g[i] = world_go(returns, (void *)(intptr_t)(n + i));
    for (int i = 4; i-- > 0;)
        if (world_join(g[i]) != n + i)
            bail("a wrong result");
}

struct parked {
    struct quoit_g *self, *g;
};

static int publish(void *arg)
{
    struct parked *p = arg;

    __atomic_store_n(&p->g, p->self, __ATOMIC_RELEASE);
    return 1;
}

/* *arg is gone once the goroutine is ready. */
static int readies(void *arg)
{
    struct parked *p = arg;
    struct quoit_g *g;

    while ((g = __atomic_load_n(&p->g, __ATOMIC_ACQUIRE)) == NULL)
        quoit_yield();
    quoit_ready(g);
    return 0;
}

static void is_readied(void)
{
    struct parked p = { quoit_self(), NULL };

    world_spawn(readies, &p);
    quoit_park(publish, &p, "until readied");
}

static void uses_pipe(void)
{
    char c = 0;

    if (quoit_write(town.fds[1], "z", 1) != 1 || quoit_read(town.fds[0], &c, 1) != 1 ||
        c != 'z')
        bail("the pipe leaks");
}

static void holds_mutex(void)
{
    quoit_mutex_lock(&town.m);
    town.under_mutex++;
    quoit_yield();
    quoit_mutex_unlock(&town.m);
}

static void in_marked_call(unsigned us)
{
    quoit_syscall_enter();
    usleep(us);
    quoit_syscall_exit();
}

static void stops_world(void)
{
    if (quoit_stop_world(INT64_MAX, 0) == 0)
        quoit_start_world();
}

static void act(uint64_t *dice)
{
    unsigned kind = world_rand(dice) % KINDS, us = world_rand(dice) % 200;

    switch (kind) {
    case 0:
        joins((int)us);
        break;
    case 1:
        quoit_sema_post(&town.ping);
        quoit_sema_wait(&town.pong);
        break;
    case 2:
        holds_mutex();
        break;
    case 3:
        is_readied();
        break;
    case 4:
        quoit_sleep((int64_t)us * 1000);
        break;
    case 5:
        uses_pipe();
        break;
    case 6:
        in_marked_call(us);
        break;
    case 7:
        quoit_block(naps, &us);
        break;
    case 8:
        quoit_yield();
        break;
    case 9:
        usleep(us);
        break;
    case 10:
        if (us < 20)
            stops_world();
        break;
    default:
        if (us < 20)
            quoit_gomaxprocs(1 + (int)(us % 4));
        break;
    }
    add(&town.done[kind]);
}

static void *visits(void *arg)
{
    uint64_t dice = (uintptr_t)arg;

    if (quoit_attach() != 0)
        bail("not attached");
    for (int i = 0; i < TURNS; i++)
        act(&dice);
    add(&town.visits);
    if (world_rand(&dice) % 2)
        quoit_detach();
    else
        add(&town.ended_attached);
    return NULL;
}

static int answers(void *arg)
{
    for (;;) {
        quoit_sema_wait(&town.ping);
        if (__atomic_load_n(&town.over, __ATOMIC_ACQUIRE))
            break;
        quoit_sema_post(&town.pong);
    }
    quoit_wg_done(&town.wg);
    return arg != NULL;
}

static void *seed_of(uint64_t *dice)
{
    return (void *)(uintptr_t)(world_rand(dice) | 1);
}

static int round_of_visits(void *arg)
{
    uint64_t *dice = arg;
    pthread_t thread[THREADS];

    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&thread[i], NULL, visits, seed_of(dice)) != 0)
            bail("no thread");
    for (int i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    return 0;
}

static int count_fds(void)
{
    DIR *dir = opendir("/proc/self/fd");
    int n = 0;

    if (dir == NULL)
        return 0;
    while (readdir(dir) != NULL)
        n++;
    closedir(dir);
    return n;
}

static int runs(void *arg)
{
    enum { PROCS_MOST = 4, SLACK = 16 };
    int procs = world_procs(), threads, fds;

    for (int i = 0; i < 4; i++) {
        quoit_wg_add(&town.wg, 1);
        world_spawn(answers, NULL);
    }
    quoit_block(round_of_visits, arg);
    threads = quoit_num_thread();
    fds = count_fds();
    while (world_now() < town.until)
        quoit_block(round_of_visits, arg);
    /* How many of ours are idle is up to chance; of the visitors there were hundreds. */
    ok(quoit_num_thread() <= threads + SLACK, "%d threads, %d before", quoit_num_thread(), threads);
    ok(count_fds() <= fds + 2 * (PROCS_MOST + SLACK), "%d descriptors, %d before", count_fds(),
       fds);
    __atomic_store_n(&town.over, 1, __ATOMIC_RELEASE);
    for (int i = 0; i < 4; i++)
        quoit_sema_post(&town.ping);
    quoit_wg_wait(&town.wg);
    is_int(quoit_num_goroutine(), 1, "no goroutine is left");
    quoit_gomaxprocs(procs);
    return 0;
}

int main(void)
{
    uint64_t dice = world_seed();
    int fds[2];

    if (pipe(fds) != 0)
        bail("no pipe");
    town.fds[0] = fds[0];
    town.fds[1] = fds[1];
    town.until = world_until();
    is_int(quoit_main(runs, &dice), 0, "ends");
    for (int i = 0; i < KINDS; i++)
        ok(town.done[i] > 0, "kind %d: %lld times", i, (long long)town.done[i]);
    is_int(town.under_mutex, town.done[2], "nobody was in the mutex with another");
    ok(town.ended_attached > 0 && town.ended_attached < town.visits,
       "%lld visits, %lld ended attached", (long long)town.visits, (long long)town.ended_attached);
    return done_testing();
}
