/* SPDX-License-Identifier: BSD-3-Clause
 * test-core-world.c - the world is stopped, nothing runs, and all go on
 */
#include "quoit.h"

#include "crowd.h"
#include "tap.h"
#include "world.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { STOPS = 200, STOPPERS = 4, SHORT_NS = 1000000 };

static long stopped_sum;

/* 1: something ran while the world was stopped. */
static int stands_still(void)
{
    long before = crowd_sum();
    int64_t until = world_now() + SHORT_NS / 20;

    stopped_sum++;
    while (world_now() < until)
        ;
    return crowd_sum() != before;
}

static int stop_once(void)
{
    int e = quoit_stop_world(INT64_MAX, 0), ran;

    if (e != 0)
        return 1;
    ran = stands_still();
    quoit_start_world();
    return ran;
}

/* ---- stop and start ------------------------------------------------------------------------- */

static void nothing_runs(void)
{
    int ran = 0, rounds = world_rounds(STOPS);

    crowd_begin(crowd_counts, CROWD_COUNTERS);
    for (int i = 0; i < rounds; i++) {
        ran += stop_once();
        if (i % 4 == 0)
            quoit_yield();
    }
    is_int(ran, 0, "nothing runs in %d stopped worlds", rounds);
    crowd_goes_on("stopped and started");
    crowd_end();
    ran = 0;
    crowd_all_sorts();
    for (int i = 0; i < rounds; i++)
        ran += stop_once();
    is_int(ran, 0, "nor where others sleep, read, and block in all ways");
    crowd_goes_on("all sorts");
    crowd_end();
}

static int stops_too(void *arg)
{
    int ran = 0;

    (void)arg;
    for (int i = world_rounds(STOPS) / 4; i > 0; i--)
        ran += stop_once();
    return ran;
}

static void *stops_outside(void *arg)
{
    return (void *)(intptr_t)stops_too(arg);
}

/* Goroutines and plain threads at once: one at a time has it. stopped_sum is plain on purpose. */
static void several_stop(void)
{
    int each = world_rounds(STOPS) / 4, ran = 0;
    struct quoit_g *g[STOPPERS];
    pthread_t t[STOPPERS];
    void *r;

    crowd_all_sorts();
    stopped_sum = 0;
    for (int i = 0; i < STOPPERS; i++) {
        g[i] = world_go_apart(stops_too, NULL);
        if (pthread_create(&t[i], NULL, stops_outside, NULL))
            bail("no thread");
    }
    for (int i = 0; i < STOPPERS; i++)
        ran += world_join(g[i]);
    for (int i = 0; i < STOPPERS; i++) {
        quoit_syscall_enter();
        pthread_join(t[i], &r);
        quoit_syscall_exit();
        ran += (int)(intptr_t)r;
    }
    is_int(ran, 0, "goroutines and threads stop the world at once, and nothing else runs");
    is_int(stopped_sum, 2L * STOPPERS * each, "each in its turn");
    crowd_goes_on("several stop");
    crowd_end();
}

static void *misuses_outside(void *arg)
{
    (void)arg;
    is_int(quoit_stop_world(INT64_MAX, 0), 0, "a plain thread stops it");
    is_int(quoit_stop_world(INT64_MAX, 0), -EDEADLK, "not twice");
    quoit_start_world();
    return NULL;
}

static void nop(int i, int n, void *arg)
{
    (void)i;
    (void)n;
    (void)arg;
}

static void misuses(void)
{
    pthread_t t;

    is_int(quoit_stop_world(INT64_MAX, 2), -EINVAL, "no other flag is known");
    is_int(quoit_world_parallel(nop, NULL), -EPERM, "who has not stopped it has no phase");
    is_int(quoit_stop_world(INT64_MAX, 0), 0, "stopped");
    is_int(quoit_stop_world(INT64_MAX, 0), -EDEADLK, "not twice by the same");
    is_int(quoit_world_parallel(NULL, NULL), -EINVAL, "a phase of nothing");
    quoit_start_world();
    if (pthread_create(&t, NULL, misuses_outside, NULL))
        bail("no thread");
    quoit_syscall_enter();
    pthread_join(t, NULL);
    quoit_syscall_exit();
}

static void *stops_and_starts(void *arg)
{
    *(int *)arg += stop_once();
    return NULL;
}

/* It is about to block while the world is being stopped, and for longer than that. */
static void calls_that_wait_for_the_stop(void)
{
    int ran = 0, rounds = world_rounds(10 * STOPS);

    for (int i = 0; i < rounds; i++) {
        pthread_t t;

        if (pthread_create(&t, NULL, stops_and_starts, &ran))
            bail("no thread");
        quoit_syscall_enter();
        pthread_join(t, NULL);
        quoit_syscall_exit();
    }
    is_int(ran, 0, "%d times the stop does not wait for a call that waits for it", rounds);
}

/* ---- who does not come in ------------------------------------------------------------------- */

static int hogging, hog_tid;

static int hogs(void *arg)
{
    (void)arg;
    __atomic_store_n(&hog_tid, (int)syscall(SYS_gettid), __ATOMIC_RELAXED);
    __atomic_store_n(&hogging, 1, __ATOMIC_RELEASE);
    while (__atomic_load_n(&hogging, __ATOMIC_ACQUIRE) == 1)
        ;
    return 0;
}

static int err_saved, err_pipe[2];

static void err_begin(void)
{
    fflush(stderr);
    err_saved = dup(2);
    if (pipe(err_pipe) != 0 || dup2(err_pipe[1], 2) < 0)
        bail("stderr");
    close(err_pipe[1]);
}

static void err_end(char *said, size_t size)
{
    ssize_t n, at = 0;

    dup2(err_saved, 2);
    close(err_saved);
    while (at + 1 < (ssize_t)size && (n = read(err_pipe[0], said + at, size - 1 - (size_t)at)) > 0)
        at += n;
    said[at] = '\0';
    close(err_pipe[0]);
}

/* It has a P for itself alone: those that come later begin on another. */
static void a_hog_holds_it_up(void)
{
    struct quoit_attr attr = QUOIT_ATTR_INIT;
    struct quoit_g *g;
    char said[4096], want[64];
    int e;

    attr.handle = &g;
    attr.name = "pigling";
    hogging = 0;
    if (quoit_go_attr(&attr, hogs, NULL) != 0)
        bail("quoit_go_attr");
    while (!__atomic_load_n(&hogging, __ATOMIC_ACQUIRE))
        quoit_yield();
    crowd_begin(crowd_counts, CROWD_COUNTERS);
    err_begin();
    e = quoit_stop_world(world_now() + 20 * SHORT_NS, 0);
    err_end(said, sizeof said);
    is_int(e, -ETIMEDOUT, "a hog does not come in");
    snprintf(want, sizeof want, "pigling has not come in; it runs on thread %d", hog_tid);
    if (!ok(strstr(said, want) != NULL, "and is named"))
        diag("said: %s", said);
    crowd_goes_on("a hog held it up");
    __atomic_store_n(&hogging, 2, __ATOMIC_RELEASE);
    is_int(world_join(g), 0, "the hog ends");
    is_int(stop_once(), 0, "and holds nothing up any more");
    crowd_end();
}

static void log_nothing(int level, const char *line, void *arg)
{
    (void)level;
    (void)line;
    (void)arg;
}

/* Deadlines that come while P's are on their way from one thread to another. */
static int gives_up_early(void *arg)
{
    int in_time = 0, late = 0, rounds = world_rounds(5 * STOPS);
    uint64_t seed = world_seed();

    (void)arg;
    crowd_all_sorts();
    for (int i = 0; i < rounds; i++) {
        int e = quoit_stop_world(world_now() + world_rand(&seed) % 20000, 0);

        if (e == 0) {
            in_time++;
            quoit_start_world();
        } else {
            late += e == -ETIMEDOUT;
        }
        if (i % 3 == 0)
            quoit_yield();
    }
    is_int(in_time + late, rounds, "%d deadlines of up to 20 us, %d of them too early", rounds,
           late);
    crowd_goes_on("given up early");
    crowd_end();
    return 0;
}

/* ---- all of it ------------------------------------------------------------------------------ */

static int body(void *arg)
{
    (void)arg;
    misuses();
    nothing_runs();
    several_stop();
    calls_that_wait_for_the_stop();
    if (world_procs() > 1)
        a_hog_holds_it_up();
    return 7;
}

int main(void)
{
    struct quoit_options o = { .size = sizeof o, .log = log_nothing };

    is_int(quoit_main(body, NULL), 7, "the world goes on to its end");
    is_int(quoit_init(&o), 0, "begun again");
    if (quoit_go(gives_up_early, NULL) != 0)
        bail("quoit_go");
    is_int(quoit_shutdown(INT64_MAX), 0, "and ended");
    is_int(quoit_stop_world(INT64_MAX, 0), -ESHUTDOWN, "there is none to be stopped");
    return done_testing();
}
