/* SPDX-License-Identifier: BSD-3-Clause
 * stress-fork.c - goroutines fork while others yield, spawn, lock and do I/O
 *
 * Children execute /bin/true, or see that Quoit does not run and do a little of what needs libc and
 * the words of the parent. Each end is waited for and counted: a child that hangs on a lock of the
 * parent's is ended by the time-out, with the seed printed.
 */
#include "quoit.h"
#include "quoit_io.h"

#include "tap.h"
#include "world.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FORKERS = 8, FORKS = 25, YIELDERS = 8, PIPES = 4, SPAWNERS = 2 };

static quoit_wg load, forkers;
static quoit_mutex mutex;
static uint64_t seed;
static int over, good, executed, spawned_processes;
static int64_t moves;

static void moved(void)
{
    __atomic_add_fetch(&moves, 1, __ATOMIC_RELAXED);
}

static bool is_over(void)
{
    return __atomic_load_n(&over, __ATOMIC_RELAXED);
}

static int nothing(void *arg)
{
    (void)arg;
    return 0;
}

/* ---- load ----------------------------------------------------------------------------------- */

static int yielder(void *arg)
{
    (void)arg;
    while (!is_over()) {
        free(malloc(100));
        quoit_mutex_lock(&mutex);
        quoit_mutex_unlock(&mutex);
        quoit_yield();
        moved();
    }
    quoit_wg_done(&load);
    return 0;
}

static int spawner(void *arg)
{
    (void)arg;
    while (!is_over()) {
        struct quoit_g *near = world_go(nothing, NULL), *apart = world_go_apart(nothing, NULL);

        world_join(apart);
        world_join(near);
        moved();
    }
    quoit_wg_done(&load);
    return 0;
}

static int echoes(void *arg)
{
    int *fds = arg;
    char c;

    while (quoit_read(fds[0], &c, 1) == 1 && quoit_write(fds[3], &c, 1) == 1)
        moved();
    quoit_wg_done(&load);
    return 0;
}

static int asks(void *arg)
{
    int *fds = arg;
    char c = 'x';

    while (!is_over() && quoit_write(fds[1], &c, 1) == 1 && quoit_read(fds[2], &c, 1) == 1)
        moved();
    quoit_close(fds[1]);
    quoit_wg_done(&load);
    return 0;
}

static void start_load(int (*fds)[4])
{
    quoit_wg_add(&load, YIELDERS + SPAWNERS + 2 * PIPES);
    for (int i = 0; i < YIELDERS; i++)
        world_spawn(yielder, NULL);
    for (int i = 0; i < SPAWNERS; i++)
        world_spawn(spawner, NULL);
    for (int i = 0; i < PIPES; i++) {
        if (pipe2(fds[i], O_CLOEXEC) != 0 || pipe2(fds[i] + 2, O_CLOEXEC) != 0)
            bail("pipe2");
        world_spawn(echoes, fds[i]);
        world_spawn(asks, fds[i]);
    }
}

/* ---- children ------------------------------------------------------------------------------- */

static void execute(void)
{
    char *argv[] = { (char *)(uintptr_t)"true", NULL };

    execv("/bin/true", argv);
    _exit(127);
}

/* The exit code says what was wrong. */
static void run_a_little(void)
{
    quoit_mutex own = QUOIT_MUTEX_INIT;
    char text[64], c = 'x';
    int fds[2];

    if (quoit_goid() != 0 || quoit_go(nothing, NULL) != -ESHUTDOWN || quoit_num_thread() != 0)
        _exit(1);
    snprintf(text, sizeof text, "%d", getpid());
    free(strdup(text));
    quoit_mutex_lock(&own);
    quoit_yield();
    quoit_mutex_unlock(&own);
    if (pipe2(fds, O_CLOEXEC) != 0 || quoit_write(fds[1], &c, 1) != 1)
        _exit(2);
    if (quoit_read(fds[0], &c, 1) != 1 || quoit_close(fds[0]) != 0)
        _exit(3);
    _exit(0);
}

static bool ends_well(pid_t pid)
{
    int status;
    pid_t got;

    while ((got = waitpid(pid, &status, WNOHANG)) == 0)
        quoit_yield();
    if (got == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return true;
    diag("child %d: waitpid %d, status 0x%x", (int)pid, (int)got, status);
    return false;
}

static int spawns_process(pid_t *pid)
{
    char *argv[] = { (char *)(uintptr_t)"true", NULL };

    __atomic_add_fetch(&spawned_processes, 1, __ATOMIC_RELAXED);
    return quoit_spawn_process(pid, "/bin/true", argv, NULL);
}

/* 0: a child is there. */
static int makes_child(uint64_t *dice, pid_t *pid)
{
    uint32_t what = world_rand(dice) % 3;

    if (what == 0)
        return spawns_process(pid);
    *pid = fork();
    if (*pid == 0) {
        if (what == 1)
            execute();
        run_a_little();
    }
    if (what == 1)
        __atomic_add_fetch(&executed, 1, __ATOMIC_RELAXED);
    return *pid < 0 ? -errno : 0;
}

static int forker(void *arg)
{
    uint64_t dice = seed + (uint64_t)(uintptr_t)arg;
    int rounds = world_rounds(FORKS);

    for (int i = 0; i < rounds; i++) {
        pid_t pid;

        if (makes_child(&dice, &pid) == 0 && ends_well(pid))
            __atomic_add_fetch(&good, 1, __ATOMIC_RELAXED);
        for (uint32_t k = world_rand(&dice) % 20; k > 0; k--)
            quoit_yield();
    }
    quoit_wg_done(&forkers);
    return 0;
}

/* A thread that is not ours forks as well. */
static void *forking_thread(void *arg)
{
    forker(arg);
    return NULL;
}

static int body(void *arg)
{
    static int fds[PIPES][4];
    int all = (FORKERS + 1) * world_rounds(FORKS);
    pthread_t thread;

    start_load(fds);
    quoit_wg_add(&forkers, FORKERS + 1);
    for (uintptr_t i = 0; i < FORKERS; i++)
        world_spawn(forker, (void *)i);
    if (pthread_create(&thread, NULL, forking_thread, (void *)(uintptr_t)FORKERS) != 0)
        bail("pthread_create");
    quoit_wg_wait(&forkers);
    pthread_join(thread, NULL);
    __atomic_store_n(&over, 1, __ATOMIC_RELAXED);
    quoit_wg_wait(&load);
    is_int(good, all, "all children did what they should");
    ok(executed > 0 && spawned_processes > 0 && executed + spawned_processes < all,
       "of each kind some: %d executed, %d spawned", executed, spawned_processes);
    ok(moves > all, "and the others went on meanwhile");
    is_int(waitpid(-1, NULL, WNOHANG), -1, "no child is left");
    return *(int *)arg;
}

int main(void)
{
    int seven = 7;

    seed = world_seed();
    is_int(world_run(0, body, &seven), 7, "quoit_main");
    return done_testing();
}
