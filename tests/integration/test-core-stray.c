/* SPDX-License-Identifier: BSD-3-Clause
 * test-core-stray.c - a goroutine that computes on after the end is left behind
 *
 * Its stack is not pulled away from under it. Two P's: one for the first goroutine, one for the
 * other, which calls Quoit no more. It must not be on the thread of quoit_main, which could not
 * return; then all begins anew.
 */
#include "quoit.h"

#include "tap.h"
#include "world.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int on_its_way, go_on, looked, elsewhere;

static int set(int *what)
{
    return __atomic_exchange_n(what, 1, __ATOMIC_SEQ_CST);
}

static int is_set(int *what)
{
    return __atomic_load_n(what, __ATOMIC_SEQ_CST);
}

static int computes(void *arg)
{
    int *on_stack = arg;

    elsewhere = gettid() != getpid();
    set(&on_its_way);
    if (!elsewhere)
        return 0;
    while (!is_set(&go_on))
        sched_yield();
    /* Its stack is still there, and that of the library. */
    *on_stack = 5;
    set(&looked);
    quoit_yield();
    return *on_stack;
}

static int leaves(void *arg)
{
    world_spawn(computes, arg);
    while (!is_set(&on_its_way))
        sched_yield();
    return 9;
}

static int nothing(void *arg)
{
    (void)arg;
    return 0;
}

/* quoit_main leaves one behind; when that began is stored in *since. */
static int leave_one(int *mine, int64_t *since)
{
    int e;

    go_on = looked = 0;
    do {
        *since = world_now();
        on_its_way = 0;
        e = world_run(2, leaves, mine);
    } while (e == 9 && !elsewhere);
    return e;
}

static int starts, over;

static void *starts_until_over(void *arg)
{
    while (!is_set(&over))
        if (quoit_init(NULL) == 0) {
            __atomic_add_fetch(&starts, 1, __ATOMIC_SEQ_CST);
            set(&over);
        }
    return arg;
}

/* Each joins the threads that were left behind, if it may. */
static void several_start_at_once(void)
{
    pthread_t threads[4];
    int64_t since;
    int mine;

    leave_one(&mine, &since);
    for (int i = 0; i < 4; i++)
        if (pthread_create(&threads[i], NULL, starts_until_over, NULL) != 0)
            bail("no thread");
    set(&go_on);
    for (int i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    is_int(starts, 1, "of four threads that start it again one does");
    is_int(quoit_shutdown(INT64_MAX), 0, "and it ends as ever");
}

static void all(void)
{
    int mine = 0, e;
    int64_t since;

    e = leave_one(&mine, &since);
    is_int(e, 9, "quoit_main returns");
    ok(world_now() - since > INT64_C(500000000), "after some grace");
    is_int(quoit_main(nothing, NULL), -EBUSY, "it cannot be started again yet");
    is_int(quoit_init(NULL), -EBUSY, "in no way");
    is_int(quoit_go(nothing, NULL), -ESHUTDOWN, "and nothing is spawned");
    set(&go_on);
    while (!is_set(&looked))
        sched_yield();
    /* It comes in at its next call. */
    while ((e = quoit_main(nothing, NULL)) == -EBUSY)
        sched_yield();
    is_int(e, 0, "but when it has come in");
    is_int(mine, 5, "it was left in peace until then");
}

/* ---- not let run ---------------------------------------------------------------------------- */

enum { HOGS = 2 }; /* a cpu */

static int yields_when_nothing_else_runs(void *arg)
{
    struct sched_param none = { 0 };

    (void)arg;
    elsewhere = gettid() != getpid();
    if (elsewhere && sched_setscheduler(gettid(), SCHED_IDLE, &none) != 0)
        bail("SCHED_IDLE is refused");
    set(&on_its_way);
    while (elsewhere)
        quoit_yield();
    return 0;
}

static int leaves_it(void *arg)
{
    (void)arg;
    world_spawn(yields_when_nothing_else_runs, NULL);
    while (!is_set(&on_its_way))
        sched_yield();
    return 9;
}

static void *hogs(void *arg)
{
    while (!is_set(arg))
        ;
    return NULL;
}

/* A thread that waits for a cpu longer than the grace has done nothing wrong. */
static void who_is_not_let_run_is_waited_for(void)
{
    long n = HOGS * sysconf(_SC_NPROCESSORS_ONLN);
    pthread_t *threads = calloc((size_t)n, sizeof *threads);
    int enough = 0;

    for (long i = 0; i < n; i++)
        if (pthread_create(&threads[i], NULL, hogs, &enough) != 0)
            bail("no thread");
    do {
        on_its_way = 0;
        is_int(world_run(2, leaves_it, NULL), 9, "quoit_main returns");
    } while (!elsewhere);
    if (quoit_main(nothing, NULL) != 0)
        bail("somebody was left behind for want of a cpu");
    ok(true, "and nobody was left behind for want of a cpu");
    set(&enough);
    for (long i = 0; i < n; i++)
        pthread_join(threads[i], NULL);
    free(threads);
}

int main(void)
{
    char said[1000] = "";
    int fds[2];

    /* What is said fits into a pipe. */
    if (pipe(fds) != 0 || dup2(fds[1], STDERR_FILENO) < 0)
        bail("no pipe");
    who_is_not_let_run_is_waited_for();
    all();
    several_start_at_once();
    ok(read(fds[0], said, sizeof said - 1) > 0 &&
       strstr(said, "warning: a goroutine computes on without calling Quoit") != NULL,
       "a warning says so");
    return done_testing();
}
