/* SPDX-License-Identifier: BSD-3-Clause
 * test-core-deadlock.c - all goroutines are asleep: the end of the program, or a warning
 *
 * Each case is a program of its own.
 */
#include "quoit.h"
#include "quoit_io.h"

#include "child.h"
#include "tap.h"
#include "world.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define DEAD "fatal error: all goroutines are asleep - deadlock!\n\ngoroutine "
#define WARNED "all goroutines are asleep; only a thread"

enum { HOLD_NS = 300000000, LONGER_NS = 1500000000 };

static quoit_sema never, later, gate;
static quoit_mutex mutex;
static quoit_wg group;
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

/* ---- dead ----------------------------------------------------------------------------------- */

static int on_semaphore(void *arg)
{
    (void)arg;
    world_spawn(waits, &never);
    return waits(&never);
}

static int alone(void *arg)
{
    (void)arg;
    return waits(&never);
}

static int on_mutex(void *arg)
{
    (void)arg;
    quoit_mutex_lock(&mutex);
    quoit_mutex_lock(&mutex);
    return 0;
}

static int on_group(void *arg)
{
    (void)arg;
    quoit_wg_add(&group, 1);
    quoit_wg_wait(&group);
    return 0;
}

static struct quoit_g *one, *other;

static int joins(void *g)
{
    quoit_sema_wait(&gate);
    return quoit_join(*(struct quoit_g **)g, NULL);
}

static int in_a_circle(void *arg)
{
    (void)arg;
    one = world_go_apart(joins, &other);
    other = world_go_apart(joins, &one);
    quoit_sema_post(&gate);
    quoit_sema_post(&gate);
    return waits(&never);
}

static int on_a_child(void *arg)
{
    (void)arg;
    return world_join(world_go_apart(waits, &never));
}

static int locked(void *arg)
{
    (void)arg;
    quoit_lock_thread();
    return waits(&never);
}

static int locked_child(void *arg)
{
    world_spawn(locked, arg);
    return locked(arg);
}

static int locked_beside_a_child(void *arg)
{
    world_spawn(waits, &never);
    return locked(arg);
}

static int parked(void *arg)
{
    (void)arg;
    quoit_park(NULL, NULL, "waiting for godot");
    return 0;
}

static int sleeps(void *arg)
{
    (void)arg;
    hold(1000000);
    return 0;
}

static int writes(void *arg)
{
    (void)arg;
    return quoit_write(fds[1], "x", 1) != 1;
}

/* All that could have woken somebody has been there, and is over. */
static int after_work(void *arg)
{
    char c;

    for (int i = 0; i < 20; i++) {
        world_spawn(writes, NULL);
        if (quoit_read(fds[0], &c, 1) != 1)
            return 3;
        quoit_sleep(100000);
        quoit_block(sleeps, NULL);
        quoit_syscall_enter();
        hold(100000);
        quoit_syscall_exit();
        if (quoit_sema_wait_until(&never, world_now() + 100000) != -ETIMEDOUT)
            return 4;
    }
    return on_semaphore(arg);
}

static void *posts(void *sema)
{
    quoit_sema_post(sema);
    return NULL;
}

static int after_a_thread(void *arg)
{
    pthread_t id;

    (void)arg;
    if (pthread_create(&id, NULL, posts, &later) != 0)
        return 3;
    quoit_sema_wait(&later);
    pthread_join(id, NULL);
    return waits(&never);
}

/* More of them than there are stacks for, and none lets go of its own. */
static int for_stacks(void *arg)
{
    (void)arg;
    for (int i = 0; i < 200; i++)
        world_spawn(waits, &never);
    return waits(&never);
}

struct dead {
    const char *what, *says;
    quoit_fn fn;
    const char *name, *value;
};

static const struct dead dead[] = {
    { "the first one, at its first step", " [semaphore, ", alone, NULL, NULL },
    { "a semaphore", " [semaphore, ", on_semaphore, NULL, NULL },
    { "a mutex of its own", " [mutex, ", on_mutex, NULL, NULL },
    { "a wait group", " [wait group, ", on_group, NULL, NULL },
    { "two that join each other", " [join, ", in_a_circle, NULL, NULL },
    { "a child that waits", " [join, ", on_a_child, NULL, NULL },
    { "locked ones", " [semaphore, ", locked_child, NULL, NULL },
    { "a locked one, and one that is not", " [semaphore, ", locked_beside_a_child, NULL, NULL },
    { "quoit_park", " [waiting for godot, ", parked, NULL, NULL },
    { "work of all kinds before", " [semaphore, ", after_work, NULL, NULL },
    { "the same without rings", " [semaphore, ", after_work, "QUOIT_IO", "posix" },
    { "a thread that has ended", " [semaphore, ", after_a_thread, NULL, NULL },
};

static int run_dead(void *arg)
{
    const struct dead *d = arg;

    if (pipe(fds) != 0 || (d->name != NULL && setenv(d->name, d->value, 1) != 0))
        return 5;
    return quoit_main(d->fn, NULL);
}

static void finds_deadlocks(void)
{
    struct dead stacks = { "", "", for_stacks, "QUOIT_STACKLIMIT", "2M" };
    struct dead quiet = { "", "", on_semaphore, "GOTRACEBACK", "none" };
    struct dead crash = { "", "", on_semaphore, "GOTRACEBACK", "crash" };
    struct child c;

    for (size_t i = 0; i < sizeof dead / sizeof dead[0]; i++) {
        child_run(&c, run_dead, (void *)(uintptr_t)&dead[i]);
        is_int(child_end(&c), 2, "dead: %s: code 2", dead[i].what);
        ok(child_said(&c, DEAD) && child_said(&c, dead[i].says), "and says where they wait");
    }
    child_run(&c, run_dead, &stacks);
    is_int(child_end(&c), 2, "dead: for want of stacks: code 2");
    ok(child_said(&c, "fatal error: no memory for a stack, and no goroutine is left") &&
       child_said(&c, " [runnable, not started]"), "and says who has none");
    child_run(&c, run_dead, &quiet);
    ok(child_end(&c) == 2 && child_said(&c, "deadlock!") && strstr(c.said, "goroutine ") == NULL,
       "GOTRACEBACK=none: the first line only");
    child_run(&c, run_dead, &crash);
    is_int(child_end(&c), -SIGABRT, "GOTRACEBACK=crash: aborts");
}

/* ---- perhaps -------------------------------------------------------------------------------- */

/* What is said on stderr comes here. */
static int warned(void)
{
    char text[1024];
    size_t n = 0;
    ssize_t k;

    while (n < sizeof text - 1 && (k = read(fds[0], text + n, sizeof text - 1 - n)) > 0) {
        n += (size_t)k;
        text[n] = '\0';
        if (strstr(text, WARNED) != NULL)
            return 1;
    }
    return 0;
}

static void *posts_when_warned(void *arg)
{
    *(int *)arg = warned();
    quoit_sema_post(&later);
    return NULL;
}

static int with_a_thread(void *arg)
{
    int was = 0;
    pthread_t id;

    (void)arg;
    if (pthread_create(&id, NULL, posts_when_warned, &was) != 0)
        return 3;
    waits(&later);
    pthread_join(id, NULL);
    return was;
}

static int run_with_a_thread(void *arg)
{
    if (pipe(fds) != 0 || dup2(fds[1], STDERR_FILENO) < 0)
        return 5;
    return quoit_main(with_a_thread, arg);
}

static void ends_well(int sig)
{
    (void)sig;
    _exit(7);
}

static int run_with_a_handler(void *arg)
{
    struct sigaction sa = { .sa_handler = ends_well };
    struct itimerval in = { { 0, 0 }, { 0, HOLD_NS / 1000 } };

    sigaction(SIGALRM, &sa, NULL);
    setitimer(ITIMER_REAL, &in, NULL);
    return quoit_main(on_semaphore, arg);
}

static int warnings;

static void counts(int level, const char *line, void *arg)
{
    (void)level;
    (void)arg;
    if (strstr(line, WARNED) != NULL)
        __atomic_add_fetch(&warnings, 1, __ATOMIC_RELAXED);
}

static int warnings_now(void)
{
    return __atomic_load_n(&warnings, __ATOMIC_RELAXED);
}

static int waits_twice(void *arg)
{
    waits(arg);
    return waits(arg);
}

static int waits_and_warns(unsigned flags)
{
    struct quoit_options o = { .size = sizeof o, .flags = flags, .log = counts };
    int64_t until = world_now() + (flags != 0 ? 30000000000 : LONGER_NS);

    warnings = 0;
    if (quoit_init(&o) != 0)
        return -1;
    world_spawn(waits_twice, &later);
    while (warnings_now() == 0 && world_now() < until)
        hold(1000000);
    quoit_sema_post(&later);
    if (flags != 0)
        hold(LONGER_NS);
    quoit_sema_post(&later);
    return quoit_shutdown(INT64_MAX) == 0 ? warnings_now() : -1;
}

/* That is the end of quoit_main. Who still waits then is abandoned, in this process and not in a
 * child of it: so it waits for what nobody else does. */
static int leaves(void *arg)
{
    static quoit_sema left;

    (void)arg;
    world_spawn(waits, &left);
    quoit_goexit(6);
}

static void warns(void)
{
    struct child c;

    child_run(&c, run_with_a_thread, NULL);
    is_int(child_end(&c), 1, "a thread that is not ours: a warning, and it can still post");
    child_run(&c, run_with_a_handler, NULL);
    is_int(child_end(&c), 7, "a handler of a signal: it may come");
    is_int(quoit_main(leaves, NULL), 6, "the first one leaves by quoit_goexit: that is the end");
    is_int(waits_and_warns(0), 0, "quoit_init: nothing is said");
    is_int(waits_and_warns(QUOIT_DEADLOCK_WARN), 1,
           "but with QUOIT_DEADLOCK_WARN, and once for the same goroutines");
}

int main(void)
{
    unsetenv("GOTRACEBACK");
    warns();
#ifdef __SANITIZE_THREAD__
    skip("deadlocks: the sanitizer's own thread could wake somebody, for all we know");
#else
    finds_deadlocks();
#endif
    return done_testing();
}
