/* SPDX-License-Identifier: BSD-3-Clause
 * test-core-steady.c - on one P goroutines come, go and talk without the kernel
 *
 * And without the queues of others. After a while of warming up a seccomp filter kills the
 * process at any system call but its end; so that there is none is seen without a tracer.
 */
#include "quoit.h"

#include "tap.h"
#include "world.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- what goes on --------------------------------------------------------------------------- */

enum { BATCH = 1000 };

static int done(void *arg)
{
    quoit_wg_done(arg);
    return 0;
}

static void spawn(int n)
{
    quoit_wg wg = QUOIT_WG_INIT;

    for (int i = 0; i < n; i += BATCH) {
        quoit_wg_add(&wg, BATCH);
        for (int k = 0; k < BATCH; k++)
            world_spawn(done, &wg);
        quoit_wg_wait(&wg);
    }
}

static int turns;

static int yields(void *arg)
{
    for (int i = 0; i < turns; i++)
        quoit_yield();
    quoit_wg_done(arg);
    return 0;
}

static void yield(int n)
{
    quoit_wg wg = QUOIT_WG_INIT;

    turns = n / 100;
    quoit_wg_add(&wg, 100);
    for (int k = 0; k < 100; k++)
        world_spawn(yields, &wg);
    quoit_wg_wait(&wg);
}

static quoit_sema to, fro;

static int pong(void *arg)
{
    for (int i = 0; i < turns; i++) {
        quoit_sema_wait(&to);
        quoit_sema_post(&fro);
    }
    quoit_wg_done(arg);
    return 0;
}

static void pingpong(int n)
{
    quoit_wg wg = QUOIT_WG_INIT;

    turns = n;
    quoit_wg_add(&wg, 1);
    world_spawn(pong, &wg);
    for (int i = 0; i < n; i++) {
        quoit_sema_post(&to);
        quoit_sema_wait(&fro);
    }
    quoit_wg_wait(&wg);
}

static quoit_mutex mutex;

static int locks(void *arg)
{
    for (int i = 0; i < turns; i++) {
        quoit_mutex_lock(&mutex);
        if (i % 10 == 0)
            quoit_yield();
        quoit_mutex_unlock(&mutex);
    }
    quoit_wg_done(arg);
    return 0;
}

static void mutex_contended(int n)
{
    quoit_wg wg = QUOIT_WG_INIT;

    turns = n / 10;
    quoit_wg_add(&wg, 10);
    for (int k = 0; k < 10; k++)
        world_spawn(locks, &wg);
    quoit_wg_wait(&wg);
}

static int nothing(void *arg)
{
    (void)arg;
    return 0;
}

static void join(int n)
{
    struct quoit_g *g[10];

    for (int i = 0; i < n; i += 10) {
        for (int k = 0; k < 10; k++)
            g[k] = k % 2 ? world_go(nothing, NULL) : world_go_apart(nothing, NULL);
        for (int k = 0; k < 10; k++)
            world_join(g[k]);
    }
}

static const struct work {
    void (*fn)(int n);
    const char *name;
} works[] = {
    { yield, "yield" }, { spawn, "spawn" }, { pingpong, "pingpong" },
    { mutex_contended, "mutex" }, { join, "join" },
};

/* ---- no system call ------------------------------------------------------------------------- */

static int only_tell(void)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog prog = { .len = sizeof code / sizeof *code, .filter = code };

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return -1;
    return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog);
}

enum { FINE = 0, NO_FILTER = 3 };

static int without_kernel(void *arg)
{
    const struct work *w = arg;

    w->fn(100000);
    if (only_tell() < 0)
        _exit(NO_FILTER);
    w->fn(100000);
    _exit(FINE);
}

static void no_system_call(const struct work *w)
{
    pid_t pid = fork();
    int status;

    if (pid < 0)
        bail("no child: %s", strerror(errno));
    if (pid == 0)
        _exit(quoit_main(without_kernel, (void *)(uintptr_t)w));
    waitpid(pid, &status, 0);
    if (WIFEXITED(status) && WEXITSTATUS(status) == NO_FILTER)
        skip("no seccomp filter can be set");
    else
        is_int(status, FINE, "%s: no system call", w->name);
}

/* ---- counters ------------------------------------------------------------------------------- */

static int counters(void *arg)
{
    struct quoit_stats a = { .size = sizeof a }, b = a;
    int n = world_is_slow() ? 5000 : 100000;

    (void)arg;
    for (size_t i = 0; i < sizeof works / sizeof *works; i++) {
        works[i].fn(n / 5);
        quoit_stats(&a);
        works[i].fn(n);
        quoit_stats(&b);
        is_int(b.steals - a.steals, 0, "%s: nothing stolen", works[i].name);
        is_int(b.steals_far - a.steals_far, 0, "%s: from nowhere", works[i].name);
        is_int(b.global - a.global, 0, "%s: nothing through a shared queue", works[i].name);
        is_int(b.wakes - a.wakes, 0, "%s: nobody woken", works[i].name);
        is_int(b.ring_enters - a.ring_enters, 0, "%s: no ring entered", works[i].name);
        ok(b.switches > a.switches, "%s: goroutines switched", works[i].name);
    }
    return 0;
}

int main(void)
{
    /* Who is not let run for long is asked to give way, and a handler returns by a system call. */
    setenv("GODEBUG", "asyncpreemptoff=1", 1);
    for (size_t i = 0; i < sizeof works / sizeof *works; i++) {
        if (world_is_slow())
            skip("a sanitizer makes system calls of its own");
        else
            no_system_call(&works[i]);
    }
    is_int(quoit_main(counters, NULL), 0, "ends");
    return done_testing();
}
