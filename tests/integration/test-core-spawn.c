/* SPDX-License-Identifier: BSD-3-Clause
 * test-core-spawn.c - programs started from goroutines have what the process had
 */
#include "quoit.h"

#include "tap.h"
#include "world.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

enum { MANY = 40 };

static int cpus;
static quoit_wg wg;
static int good;

/* As exec wants it, which changes nothing. */
static char *plain(const char *text)
{
    return (char *)(uintptr_t)text;
}

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

/* The exit code of what the shell makes of it, or -errno. */
static int shell(const char *command, char *const envp[])
{
    char *argv[] = { plain("sh"), plain("-c"), plain(command), NULL };
    pid_t pid;
    int e = quoit_spawn_process(&pid, "sh", argv, envp);

    return e < 0 ? e : end_of(pid);
}

static void it_starts_programs(const char *who)
{
    char *env[] = { plain("PATH=/usr/bin:/bin"), plain("QUOIT_STRESS_WORD=here"), NULL };
    char command[128];

    is_int(shell("exit 3", NULL), 3, "%s: a program runs, with its exit code", who);
    snprintf(command, sizeof command, "test \"$(nproc)\" = %d", cpus);
    is_int(shell(command, NULL), 0, "%s: and has all cpus of the process", who);
    is_int(shell("test \"$QUOIT_STRESS_WORD\" = here", env), 0, "%s: the environment it is given",
           who);
    setenv("QUOIT_STRESS_WORD", "there", 1);
    is_int(shell("test \"$QUOIT_STRESS_WORD\" = there", NULL), 0, "%s: or the caller's own", who);
}

static void errors_are_returned(void)
{
    char *argv[] = { plain("no-such-program"), NULL }, *none[] = { NULL };
    pid_t pid = 77;

    is_int(quoit_spawn_process(&pid, "no-such-program", argv, NULL), -ENOENT, "ENOENT");
    is_int(quoit_spawn_process(&pid, "/no/such/program", argv, NULL), -ENOENT, "with a path too");
    is_int(quoit_spawn_process(&pid, "/etc", argv, NULL), -EACCES, "EACCES");
    is_int(quoit_spawn_process(&pid, NULL, argv, NULL), -EINVAL, "no file");
    is_int(quoit_spawn_process(&pid, "true", NULL, NULL), -EINVAL, "no arguments");
    is_int(quoit_spawn_process(&pid, "true", none, NULL), -EINVAL, "none of them");
    is_int(pid, 77, "and no process");
}

/* Of a plain thread: a goroutine may go on in another one, which has its own. */
static void errno_is_left_alone(void)
{
    char *argv[] = { plain("no-such-program"), NULL };

    errno = E2BIG;
    is_int(quoit_spawn_process(NULL, "no-such-program", argv, NULL), -ENOENT, "ENOENT again");
    is_int(errno, E2BIG, "errno is left alone");
}

/* What a goroutine does to its thread is not for the child, what the process had is. */
static void signals_are_the_process_s(void)
{
    sigset_t block, old;
    int e;

    sigemptyset(&block);
    sigaddset(&block, SIGUSR1);
    pthread_sigmask(SIG_BLOCK, &block, &old);
    e = shell("kill -USR1 $$; exit 4", NULL);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    is_int(e, -SIGUSR1, "the signal mask is that of the start");
    is_int(shell("kill -USR2 $$; exit 4", NULL), 4, "where a signal was blocked");
    is_int(shell("kill -SEGV $$; exit 4", NULL), -SIGSEGV, "a handler is none there");
}

static int one_of_many(void *arg)
{
    char command[32];

    snprintf(command, sizeof command, "exit %d", *(int *)arg);
    if (shell(command, NULL) == *(int *)arg)
        __atomic_add_fetch(&good, 1, __ATOMIC_RELAXED);
    quoit_wg_done(&wg);
    return 0;
}

static void many_at_once(void)
{
    quoit_wg_add(&wg, MANY);
    for (int i = 0; i < MANY; i++)
        if (quoit_go_copy(one_of_many, &i, sizeof i) != 0)
            bail("quoit_go_copy");
    quoit_wg_wait(&wg);
    is_int(good, MANY, "many at once");
}

static int body(void *arg)
{
    char *argv[] = { plain("true"), NULL };

    (void)arg;
    it_starts_programs("a goroutine");
    errors_are_returned();
    signals_are_the_process_s();
    many_at_once();
    is_int(quoit_spawn_process(NULL, "true", argv, NULL), 0, "its id need not be asked for");
    is_int(end_of(-1), 0, "it ends all the same");
    return 7;
}

int main(void)
{
    cpu_set_t set;
    sigset_t usr2;

    /* nproc would believe them. */
    unsetenv("OMP_NUM_THREADS");
    unsetenv("OMP_THREAD_LIMIT");
    if (sched_getaffinity(0, sizeof set, &set) != 0)
        skip_all("more than 1024 cpus");
    cpus = CPU_COUNT(&set);
    sigemptyset(&usr2);
    sigaddset(&usr2, SIGUSR2);
    pthread_sigmask(SIG_BLOCK, &usr2, NULL);
    is_int(world_run(0, body, NULL), 7, "quoit_main");
    it_starts_programs("a plain thread");
    errno_is_left_alone();
    return done_testing();
}
