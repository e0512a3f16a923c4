/* SPDX-License-Identifier: BSD-3-Clause
 * test-core-alive.c - all goroutines wait, but not for each other: no deadlock is seen
 *
 * Each case is a program of its own, and seems dead for HOLD_NS: long enough to be asked about
 * several times.
 */
#include "quoit.h"
#include "quoit_io.h"

#include "child.h"
#include "tap.h"
#include "world.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { HOLD_NS = 300000000 };

static quoit_sema never, later;
static int fds[2];

static void hold(int64_t ns)
{
    struct timespec t = { (time_t)(ns / 1000000000), (long)(ns % 1000000000) };

    while (nanosleep(&t, &t) != 0)
        ;
}

static int waits(void *sema)
{
    quoit_sema_wait(sema);
    return 0;
}

static int on_a_process(void *arg)
{
    pid_t pid = fork();
    char c;

    (void)arg;
    if (pid == 0) {
        hold(HOLD_NS);
        _exit(write(fds[1], "x", 1) != 1);
    }
    return pid < 0 || quoit_read(fds[0], &c, 1) != 1 || waitpid(pid, NULL, 0) != pid;
}

static int on_the_clock(void *arg)
{
    (void)arg;
    quoit_sleep(HOLD_NS);
    return quoit_sema_wait_until(&never, world_now() + HOLD_NS) != -ETIMEDOUT;
}

static int holds(void *arg)
{
    (void)arg;
    hold(HOLD_NS);
    return 0;
}

static int holds_and_posts(void *arg)
{
    holds(arg);
    quoit_sema_post(&later);
    return 0;
}

static int on_a_blocked_call(void *arg)
{
    (void)arg;
    return quoit_block(holds, NULL);
}

static int in_a_blocked_call(void *arg)
{
    (void)arg;
    return quoit_block(holds_and_posts, NULL);
}

static int marked_call(void *arg)
{
    quoit_syscall_enter();
    holds(arg);
    quoit_syscall_exit();
    quoit_sema_post(&later);
    return 0;
}

static int on_a_marked_call(void *arg)
{
    world_spawn(marked_call, arg);
    return waits(&later);
}

static int on_an_unmarked_call(void *arg)
{
    world_spawn(holds_and_posts, arg);
    return waits(&later);
}

static int locked_holds(void *arg)
{
    int e;

    (void)arg;
    quoit_lock_thread();
    e = quoit_block(holds, NULL);
    quoit_sema_post(&later);
    return e;
}

static int on_a_locked_one(void *arg)
{
    world_spawn(locked_holds, arg);
    return waits(&later);
}

static void *thread_posts(void *arg)
{
    holds_and_posts(arg);
    return NULL;
}

static int on_a_thread(void *arg)
{
    pthread_t id;

    if (pthread_create(&id, NULL, thread_posts, arg) != 0)
        return 3;
    waits(&later);
    return pthread_join(id, NULL);
}

static int while_the_world_is_stopped(void *arg)
{
    world_spawn(waits, &never);
    if (quoit_stop_world(INT64_MAX, 0) < 0)
        return 3;
    holds(arg);
    quoit_start_world();
    return 0;
}

struct alive {
    const char *what;
    quoit_fn fn;
};

static const struct alive alive[] = {
    { "a process that writes into a pipe", on_a_process },
    { "time", on_the_clock },
    { "quoit_block", on_a_blocked_call },
    { "what is called by quoit_block", in_a_blocked_call },
    { "a marked call", on_a_marked_call },
    { "an unmarked call", on_an_unmarked_call },
    { "a blocked call of a locked goroutine", on_a_locked_one },
    { "a thread that is not ours", on_a_thread },
    { "who has stopped the world", while_the_world_is_stopped },
};

static int run_alive(void *arg)
{
    const struct alive *a = arg;

    return pipe(fds) != 0 ? 5 : quoit_main(a->fn, NULL);
}

static int run_posix(void *arg)
{
    setenv("QUOIT_IO", "posix", 1);
    return run_alive(arg);
}

static void leaves_others_alone(void)
{
    struct child c;

    for (size_t i = 0; i < sizeof alive / sizeof alive[0]; i++) {
        child_run(&c, run_alive, (void *)(uintptr_t)&alive[i]);
        ok(child_end(&c) == 0 && strstr(c.said, "asleep") == NULL, "waits for %s (code %d)",
           alive[i].what, child_end(&c));
    }
    child_run(&c, run_posix, (void *)(uintptr_t)&alive[0]);
    is_int(child_end(&c), 0, "and for %s, without rings", alive[0].what);
}

int main(void)
{
    leaves_others_alone();
    return done_testing();
}
