/* SPDX-License-Identifier: BSD-3-Clause
 * test-core-fork.c - a child of fork is a process where Quoit does not run
 */
#include "quoit.h"
#include "quoit_io.h"
#include "quoit_numa.h"

#include "child.h"
#include "tap.h"
#include "world.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* TSan wants none, and of the heap of ASan a thread of the parent's may have held a part. */
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
#define NO_THREADS_IN_CHILD 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer) || __has_feature(address_sanitizer)
#define NO_THREADS_IN_CHILD 1
#endif
#endif

enum { OTHERS = 50 };

static cpu_set_t cpus;
static sigset_t mask;
static void (*fault)(int);

static int nothing(void *arg)
{
    (void)arg;
    return 0;
}

static int seven(void *arg)
{
    (void)arg;
    return 7;
}

static int body7(void *arg)
{
    (void)arg;
    return world_join(world_go(nothing, NULL)) + quoit_block(seven, NULL);
}

/* ---- in the child: the number of the first thing that is wrong, 0: none ---------------------- */

static int calls(void)
{
    struct quoit_stats st = { .size = sizeof st };
    quoit_mutex m = QUOIT_MUTEX_INIT;
    quoit_sema s = QUOIT_SEMA_INIT;

    if (quoit_goid() != 0 || quoit_self() != NULL)
        return 1;
    if (quoit_go(nothing, NULL) != -ESHUTDOWN || quoit_go_copy(nothing, "x", 1) != -ESHUTDOWN)
        return 2;
    if (quoit_num_goroutine() != 0 || quoit_num_thread() != 0 || quoit_set_max_threads(0) != 0)
        return 3;
    if (quoit_stats(&st) != 0 || st.procs != 0 || quoit_stack_used(NULL) != 0)
        return 4;
    if (quoit_num_nodes() != -ESHUTDOWN || quoit_shutdown(0) != -EPERM)
        return 5;
    quoit_yield();
    quoit_mutex_lock(&m);
    quoit_mutex_unlock(&m);
    quoit_sema_post(&s);
    quoit_sema_wait(&s);
    return quoit_block(seven, NULL) == 7 ? 0 : 6;
}

static int io(void)
{
    int fds[2];
    char c = 0;

    if (pipe(fds) != 0 || quoit_write(fds[1], "x", 1) != 1 || quoit_read(fds[0], &c, 1) != 1)
        return 11;
    if (c != 'x' || quoit_close(fds[0]) != 0 || quoit_write(fds[1], "x", 1) != -EPIPE)
        return 12;
    return quoit_openat(AT_FDCWD, "/nothing/there", 0, 0) == -ENOENT ? 0 : 13;
}

static int thread(void)
{
    struct sigaction now;
    cpu_set_t mine;
    sigset_t blocked;

    if (sched_getaffinity(0, sizeof mine, &mine) == 0 && !CPU_EQUAL(&mine, &cpus))
        return 21;
    pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    for (int sig = 1; sig < SIGRTMAX; sig++)
        if (sigismember(&blocked, sig) != sigismember(&mask, sig))
            return 22;
    if (sigaction(SIGSEGV, NULL, &now) == 0 && now.sa_handler != fault)
        return 23;
    return 0;
}

static int again(void)
{
#ifndef NO_THREADS_IN_CHILD
    if (world_run(2, body7, NULL) != 7 || world_run(2, body7, NULL) != 7)
        return 31;
    if (quoit_init(NULL) != 0 || quoit_go(nothing, NULL) != 0 || quoit_shutdown(INT64_MAX) != 0)
        return 32;
#endif
    return calls();
}

static int all_in_child(void)
{
    int e = calls();

    signal(SIGPIPE, SIG_IGN);
    e = e != 0 ? e : io();
    e = e != 0 ? e : thread();
    e = e != 0 ? e : again();
    return e != 0 ? e : io();
}

/* ---- in the parent -------------------------------------------------------------------------- */

static int end_of(pid_t pid)
{
    int status;
    pid_t got;

    while ((got = waitpid(pid, &status, WNOHANG)) == 0)
        quoit_yield();
    if (got < 0)
        return -errno;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void children_are_plain(const char *who)
{
    pid_t pid = fork();

    if (pid == 0)
        _exit(all_in_child());
    is_int(end_of(pid), 0, "%s: the child finds no Quoit running", who);
}

static void children_exit(const char *who)
{
    pid_t pid = fork();

    if (pid == 0)
        exit(0);
    is_int(end_of(pid), 0, "%s: the child may end as main does", who);
}

static void children_execute(const char *who)
{
    pid_t pid = fork();

    if (pid == 0) {
        execl("/bin/sh", "sh", "-c", "exit 5", (char *)NULL);
        _exit(1);
    }
    is_int(end_of(pid), 5, "%s: the child executes another program", who);
}

static void what_nobody_else_uses_works_on(void)
{
    quoit_mutex m = QUOIT_MUTEX_INIT;
    pid_t pid;

    quoit_mutex_lock(&m);
    pid = fork();
    if (pid == 0) {
        if (quoit_mutex_trylock(&m) != -EBUSY)
            _exit(1);
        quoit_mutex_unlock(&m);
        _exit(quoit_mutex_trylock(&m));
    }
    quoit_mutex_unlock(&m);
    is_int(end_of(pid), 0, "a child unlocks what its goroutine held");
}

static int holds(void *arg)
{
    quoit_mutex_lock(arg);
    quoit_mutex_unlock(arg);
    return 0;
}

/* Those in its queue are not there, and one may have been on its way. */
static void what_others_use_is_made_anew(void)
{
    quoit_mutex m = QUOIT_MUTEX_INIT;
    struct quoit_g *g[OTHERS];
    pid_t pid;

    quoit_mutex_lock(&m);
    for (int i = 0; i < OTHERS; i++)
        g[i] = world_go_apart(holds, &m);
    for (int i = 0; i < OTHERS; i++)
        quoit_yield();
    pid = fork();
    if (pid == 0) {
        m = (quoit_mutex)QUOIT_MUTEX_INIT;
        quoit_mutex_lock(&m);
        quoit_mutex_unlock(&m);
        _exit(quoit_mutex_trylock(&m));
    }
    is_int(end_of(pid), 0, "a child makes a mutex anew that others wait for");
    quoit_mutex_unlock(&m);
    for (int i = 0; i < OTHERS; i++)
        world_join(g[i]);
    ok(true, "and the parent's goroutines get it");
}

static int forks_in_place(void *arg)
{
    (void)arg;
    children_are_plain("a goroutine in place");
    return 0;
}

static int forks_and_executes(void *arg)
{
    (void)arg;
    children_execute("a call that blocks");
    return 0;
}

static int forks(void *arg)
{
    (void)arg;
    is_int(quoit_block(forks_and_executes, NULL), 0, "forks where nobody parks");
    children_are_plain("a goroutine");
    children_execute("a goroutine");
    children_exit("a goroutine");
    world_join(world_go(forks_in_place, NULL));
    what_nobody_else_uses_works_on();
    what_others_use_is_made_anew();
    is_int(world_join(world_go(nothing, NULL)), 0, "the parent goes on");
    return 0;
}

static void forks_beside(void)
{
    is_int(quoit_init(NULL), 0, "Quoit runs beside main");
    children_are_plain("a plain thread");
    children_execute("a plain thread");
    is_int(quoit_go(nothing, NULL), 0, "the parent goes on");
    is_int(quoit_shutdown(INT64_MAX), 0, "to its end");
}

/* ---- what cannot be ------------------------------------------------------------------------- */

static int returns_in_child(void *arg)
{
    pid_t pid = fork();

    (void)arg;
    return pid == 0 ? 0 : end_of(pid);
}

static int exits_in_child(void *arg)
{
    pid_t pid = fork();

    (void)arg;
    if (pid == 0)
        quoit_goexit(0);
    return end_of(pid);
}

static int blocks_in_child(void *arg)
{
    return quoit_block(returns_in_child, arg);
}

static int apart(void *fn)
{
    return world_join(world_go_apart(*(quoit_fn *)fn, NULL));
}

static int in_place(void *fn)
{
    return world_join(world_go(*(quoit_fn *)fn, NULL));
}

static int runs_first(void *fn)
{
    return world_run(0, *(quoit_fn *)fn, NULL);
}

static int runs_apart(void *fn)
{
    return world_run(0, apart, fn);
}

static int runs_in_place(void *fn)
{
    return world_run(0, in_place, fn);
}

static void leaving_is_told_of(quoit_fn fn, const char *text)
{
    static int (*const ways[])(void *) = { runs_first, runs_apart, runs_in_place };

    for (int i = 0; i < 3; i++) {
        struct child c;

        child_run(&c, ways[i], &fn);
        is_int(child_end(&c), 2, "the child ends with code 2, the parent goes on");
        ok(child_said(&c, text), "and it is said why");
    }
}

int main(void)
{
    struct sigaction now;

    sched_getaffinity(0, sizeof cpus, &cpus);
    pthread_sigmask(SIG_SETMASK, NULL, &mask);
    sigaction(SIGSEGV, NULL, &now);
    fault = now.sa_handler;
    is_int(world_run(0, forks, NULL), 0, "forks from goroutines");
    children_are_plain("nobody, as Quoit does not run,");
    forks_beside();
    leaving_is_told_of(returns_in_child, "fork: a function that Quoit called returned");
    leaving_is_told_of(blocks_in_child, "fork: a function that Quoit called returned");
    leaving_is_told_of(exits_in_child, "quoit_goexit: called by a thread that is no goroutine");
    return done_testing();
}
