/* SPDX-License-Identifier: BSD-3-Clause
 * storm-world.c - calls that block, the world and its size, grace periods, other processes
 */
#include "storm.h"

#include "compiler.h"

#include "tap.h"
#include "world.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void compute(int64_t ns)
{
    int64_t until = world_now() + ns;

    while (world_now() < until)
        ;
}

static void rest(int64_t ns)
{
    struct timespec t = { 0, ns };

    nanosleep(&t, NULL);
}

static int nothing(void *arg unused_arg)
{
    return 0;
}

/* ---- blocking calls ------------------------------------------------------------------------- */

void storm_marked(struct actor *a)
{
    quoit_syscall_enter();
    if (roll(a, 2))
        rest(roll(a, 1000000));
    quoit_syscall_exit();
    happened(MARKED);
}

void storm_unmarked(struct actor *a)
{
    rest(roll(a, 15000000));
    happened(UNMARKED);
}

static int blocks(void *arg)
{
    rest(*(const int *)arg);
    return 77;
}

void storm_block(struct actor *a)
{
    int ns = (int)roll(a, 1000000);

    if (quoit_block(blocks, &ns) != 77)
        bail("quoit_block");
    happened(BLOCK);
}

void storm_pin(struct actor *a)
{
    int i = quoit_pin();

    storm.per_p[i]++;
    if (roll(a, 8) == 0)
        compute(roll(a, 20000));
    quoit_unpin();
    add(&storm.pins, 1);
    happened(PIN);
}

/* ---- the world ------------------------------------------------------------------------------ */

void storm_resize(struct actor *a)
{
    if (quoit_gomaxprocs(1 + (int)roll(a, PROCS_MOST)) < 1)
        bail("quoit_gomaxprocs");
    quoit_sleep(roll(a, 500000));
    if (quoit_gomaxprocs(storm.home) < 1)
        bail("quoit_gomaxprocs");
    happened(RESIZE);
}

static void share(int i, int n, void *arg)
{
    uint64_t *seen = arg;

    if (i < 0 || i >= n)
        bail("share %d of %d", i, n);
    __atomic_or_fetch(seen, UINT64_C(1) << i, __ATOMIC_RELAXED);
}

static void parallel(void)
{
    uint64_t seen = 0;
    int n = quoit_world_parallel(share, &seen);

    if (n < 1 || seen != (UINT64_C(1) << n) - 1)
        bail("quoit_world_parallel: %d, 0x%llx", n, (unsigned long long)seen);
    happened(PARALLEL);
}

void storm_stop(struct actor *a)
{
    bool hurry = roll(a, 6) == 0;
    int e = quoit_stop_world(hurry ? in_ns(a, 60000) : INT64_MAX, 0);
    uint64_t before;

    if (e == -ETIMEDOUT && hurry) {
        happened(STOP_LATE);
        return;
    }
    if (e != 0)
        bail("quoit_stop_world: %s", strerror(-e));
    before = __atomic_load_n(&storm.steps, __ATOMIC_RELAXED);
    if (roll(a, 3) == 0)
        parallel();
    else
        compute(roll(a, 100000));
    if (__atomic_load_n(&storm.steps, __ATOMIC_RELAXED) != before)
        bail("somebody runs while the world is stopped");
    quoit_start_world();
    happened(quoit_self() != NULL ? STOP : STOP_OUTSIDE);
}

/* ---- one by one, and behind their backs ----------------------------------------------------- */

static int visits(const struct quoit_ginfo *g, void *arg)
{
    uint32_t *left = arg;

    if (g->id == 0 || (strcmp(g->state, "waiting") == 0) != (g->reason != NULL))
        bail("goroutine %llu is %s", (unsigned long long)g->id, g->state);
    return --*left == 0 ? 99 : 0;
}

void storm_quiesce(struct actor *a)
{
    uint32_t most = 1 + roll(a, 500), left = most;
    int r = quoit_quiesce(visits, &left);

    if (r != (left == 0 ? 99 : 0) || left == most)
        bail("quoit_quiesce: %d", r);
    happened(QUIESCE);
}

struct thing {
    uint32_t spoiled;
    uint32_t looks;
};

static void spoil(void *ptr)
{
    struct thing *t = ptr;

    if (t == NULL)
        return;
    if (__atomic_exchange_n(&t->spoiled, 1, __ATOMIC_RELAXED) != 0)
        bail("freed twice");
    free(t);
    add(&storm.freed, 1);
}

static struct thing *replace(void)
{
    struct thing *t = calloc(1, sizeof *t);

    if (t == NULL)
        bail("no memory");
    add(&storm.made, 1);
    return __atomic_exchange_n(&storm.thing, t, __ATOMIC_ACQ_REL);
}

void storm_synchronize(struct actor *a unused_arg)
{
    struct thing *old = replace();

    quoit_synchronize();
    spoil(old);
    happened(SYNCHRONIZE);
}

void storm_defer(struct actor *a unused_arg)
{
    if (quoit_defer_free(replace(), spoil) != 0)
        bail("quoit_defer_free");
    happened(DEFER);
}

void storm_look(struct actor *a)
{
    struct thing *t;

    quoit_pin();
    t = __atomic_load_n(&storm.thing, __ATOMIC_ACQUIRE);
    if (t != NULL) {
        if (roll(a, 4) == 0)
            compute(roll(a, 50000));
        __atomic_add_fetch(&t->looks, 1, __ATOMIC_RELAXED);
        if (__atomic_load_n(&t->spoiled, __ATOMIC_RELAXED) != 0)
            bail("what is looked at has been freed");
    }
    quoit_unpin();
    happened(LOOK);
}

/* ---- processes ------------------------------------------------------------------------------ */

static void ends_with(pid_t pid, int code)
{
    int status;
    pid_t got;

    quoit_syscall_enter();
    got = waitpid(pid, &status, 0);
    quoit_syscall_exit();
    if (got != pid || !WIFEXITED(status) || WEXITSTATUS(status) != code)
        bail("child %d: waitpid %d, status 0x%x", (int)pid, (int)got, status);
}

void storm_forks(struct actor *a unused_arg)
{
    pid_t pid = fork();

    if (pid < 0)
        bail("fork: %s", strerror(errno));
    if (pid == 0)
        _exit(quoit_goid() == 0 && quoit_go(nothing, NULL) == -ESHUTDOWN ? 7 : 1);
    ends_with(pid, 7);
    happened(FORK);
}

void storm_process(struct actor *a unused_arg)
{
    char *argv[] = { (char *)(uintptr_t)"true", NULL };
    pid_t pid;
    int e = quoit_spawn_process(&pid, "/bin/true", argv, NULL);

    if (e != 0)
        bail("quoit_spawn_process: %s", strerror(-e));
    ends_with(pid, 0);
    happened(PROCESS);
}

void storm_dump(struct actor *a unused_arg)
{
    int e = quoit_dump(storm.null);

    if (e != 0)
        bail("quoit_dump: %s", strerror(-e));
    happened(DUMP);
}
