/* SPDX-License-Identifier: BSD-3-Clause
 * gdb-crowd.c - a goroutine in each state, for test-gdb.py to look at
 *
 * On two P's: one goroutine spins on one of them for good, so that all others stay with the
 * first goroutine's P, in the order written here. With an argument the last goroutine waits for a
 * debugger that attaches, and says so.
 */
#include "quoit.h"
#include "quoit_io.h"

#include <stdio.h>
#include <unistd.h>

static quoit_sema parked, never, later;
static volatile int spinning, go_on;
static int pipe_fds[2], wait_here;

__attribute__((noinline)) static int sit_still(int depth)
{
    int below;

    if (depth > 0) {
        below = sit_still(depth - 1);
        return below + 1;
    }
    quoit_sema_post(&parked);
    quoit_sema_wait(&never);
    return 0;
}

static int sleeper(void *arg)
{
    return sit_still(*(int *)arg);
}

static int joiner(void *arg)
{
    quoit_sema_post(&parked);
    return quoit_join(arg, NULL);
}

static int reader(void *arg)
{
    char c;

    (void)arg;
    quoit_sema_post(&parked);
    return (int)quoit_read(pipe_fds[0], &c, 1);
}

static int napper(void *arg)
{
    (void)arg;
    quoit_sema_post(&parked);
    return quoit_sleep(INT64_MAX / 2);
}

static int woken(void *arg)
{
    (void)arg;
    quoit_sema_post(&parked);
    quoit_sema_wait(&later);
    return 0;
}

static int unstarted(void *arg)
{
    (void)arg;
    return 0;
}

/* Stopped anywhere in its loop it is in its own code, not in a sanitizer's. */
__attribute__((no_sanitize("thread"))) static int spinner(void *arg)
{
    (void)arg;
    /* Nobody is to take the P, however long this goes on. */
    quoit_pin();
    spinning = 1;
    while (!go_on)
        ;
    return 0;
}

/* Parks on the stack of who joins it. */
static int guest_waits(void *arg)
{
    return sit_still(*(int *)arg);
}

static int landlord(void *arg)
{
    struct quoit_attr attr = QUOIT_ATTR_INIT;
    struct quoit_g *g;

    attr.handle = &g;
    attr.name = "lodger";
    if (quoit_go_attr(&attr, guest_waits, arg) != 0)
        return 2;
    return quoit_join(g, NULL);
}

__attribute__((noinline, no_sanitize("thread"))) static void look_here(void)
{
    if (wait_here && write(STDOUT_FILENO, "here\n", 5) != 5)
        return;
    while (wait_here && !go_on)
        ;
    __asm__ volatile("" ::: "memory");
}

/* Runs on the stack of who joins it. */
static int guest_runs(void *arg)
{
    (void)arg;
    quoit_pin();
    look_here();
    _exit(0);
}

static struct quoit_g *spawn(quoit_fn fn, void *arg, const char *name)
{
    struct quoit_attr attr = QUOIT_ATTR_INIT;
    struct quoit_g *g;

    attr.handle = &g;
    attr.name = name;
    if (quoit_go_attr(&attr, fn, arg) != 0)
        _exit(3);
    return g;
}

static int first(void *arg)
{
    static int depth = 3, shallow = 1;
    struct quoit_g *g;

    (void)arg;
    spawn(spinner, NULL, "spinner");
    while (!spinning)
        quoit_yield();
    g = spawn(sleeper, &depth, "sleeper");
    spawn(landlord, &shallow, "landlord");
    quoit_go(reader, NULL);
    quoit_go(napper, NULL);
    quoit_go(woken, NULL);
    for (int i = 0; i < 5; i++)
        quoit_sema_wait(&parked);
    spawn(joiner, g, "joiner");
    quoit_sema_wait(&parked);
    /* Whoever posted has parked by the time that a yield comes back. */
    quoit_yield();
    quoit_sema_post(&later);
    quoit_go(unstarted, NULL);
    return quoit_join(spawn(guest_runs, NULL, "guest"), NULL);
}

int main(int argc, char **argv)
{
    (void)argv;
    wait_here = argc > 1;
    if (pipe(pipe_fds) != 0)
        return 3;
    return quoit_main(first, NULL);
}
