/* SPDX-License-Identifier: BSD-3-Clause
 * test-overflow.c - what a user sees of a stack that is too small
 */
#include "child.h"
#include "tap.h"

#include <quoit.h>

#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static struct child c;

/* ---- goroutines that go wrong --------------------------------------------------------------- */

/* The result depends on every frame, so none is optimised away. */
static int deeper(int depth)
{
    volatile char frame[512];

    frame[depth % 512] = (char)depth;
    if (depth == INT_MAX)
        return 0;
    return deeper(depth + 1) + frame[depth % 512];
}

static int recurses(void *arg)
{
    (void)arg;
    return deeper(0);
}

static int points_wildly(void *arg)
{
    (void)arg;
    *(volatile char *)mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) = 1;
    return 0;
}

static int goes_deep_but_not_too_deep(void *arg)
{
    volatile char most[56 << 10];

    (void)arg;
    for (size_t i = 0; i < sizeof most; i++)
        most[i] = 1;
    return most[100] - 1;
}

/* A goroutine of its own, on its own stack: the parent waits without joining. */
static quoit_sema ended;
static quoit_fn body;

static int run_body(void *arg)
{
    int result = body(arg);

    quoit_sema_post(&ended);
    return result;
}

static int parent(void *arg)
{
    struct quoit_attr attr = QUOIT_ATTR_INIT;

    (void)arg;
    attr.name = "digger";
    if (quoit_go_attr(&attr, run_body, NULL) != 0)
        return 50;
    quoit_sema_wait(&ended);
    return 0;
}

static int joining_parent(void *arg)
{
    struct quoit_attr attr = QUOIT_ATTR_INIT;
    struct quoit_g *child;
    int result;

    (void)arg;
    attr.handle = &child;
    if (quoit_go_attr(&attr, body, NULL) != 0)
        return 50;
    quoit_join(child, &result);
    return result;
}

/* ---- in a child process --------------------------------------------------------------------- */

static int in_main(void *fn)
{
    return quoit_main(*(quoit_fn *)fn, NULL);
}

static int beside_main(void *flags)
{
    struct quoit_options o = { .size = sizeof o, .flags = *(unsigned *)flags, .procs = 1 };

    if (quoit_init(&o) != 0 || quoit_go(body, NULL) != 0)
        return 50;
    quoit_shutdown(INT64_MAX);
    return 0;
}

static void run(quoit_fn first, quoit_fn then)
{
    body = then;
    child_run(&c, in_main, &first);
}

static void own_handler(int sig)
{
    _exit(sig == SIGSEGV ? 66 : 67);
}

static int with_own_handler(void *fn)
{
    signal(SIGSEGV, own_handler);
    return in_main(fn);
}

/* ---- what is seen --------------------------------------------------------------------------- */

static void overflow_is_named(const char *guard)
{
    setenv("QUOIT_GUARD", guard, 1);
    setenv("GOMAXPROCS", "1", 1);
    run(parent, recurses);
    is_int(child_end(&c), 2, "%s: a recursion without end: exit code 2", guard);
    ok(child_said(&c, "fatal error: stack overflow: goroutine 2 \"digger\" went past "
                      "its stack of 64 KiB"),
       "which goroutine, and what it has");
    ok(child_said(&c, "test-overflow+0x"), "in which function");
    ok(child_said(&c, "QUOIT_STACK=128K"), "what to do");
    ok(child_said(&c, "goroutine 2 \"digger\" [running]:"), "and where it was");
    ok(child_said(&c, "times more"), "the recursion told of once");
    run(parent, goes_deep_but_not_too_deep);
    is_int(child_end(&c), 0, "%s: all of the stack can be used", guard);
    unsetenv("QUOIT_GUARD");
}

static void stack_size_is_obeyed(void)
{
    setenv("QUOIT_STACK", "32K", 1);
    run(parent, recurses);
    ok(child_said(&c, "its stack of 32 KiB"), "QUOIT_STACK is what a stack has");
    setenv("QUOIT_STACK", "1M", 1);
    run(parent, recurses);
    ok(child_said(&c, "its stack of 1024 KiB"), "a larger one too");
    unsetenv("QUOIT_STACK");
}

static void in_place_is_named(void)
{
    run(joining_parent, recurses);
    is_int(child_end(&c), 2, "a child that runs in place");
    ok(child_said(&c, "stack overflow: goroutine 2 went past the stack of goroutine 1, "
                      "which joins it"),
       "is named, and whose stack it was");
}

static void other_faults_are_as_ever(void)
{
    unsigned flags[] = { 0, QUOIT_NO_SIGNALS };

    run(parent, points_wildly);
    is_int(child_end(&c), -SIGSEGV, "a wild pointer is a plain crash");
    is_str(c.said, "", "and nothing is said");
    body = points_wildly;
    child_run(&c, with_own_handler, &(quoit_fn){ parent });
    is_int(child_end(&c), 66, "a program's own handler is called");
    body = recurses;
    child_run(&c, beside_main, &flags[0]);
    if (!is_int(child_end(&c), 2, "beside a main of its own an overflow is named as well"))
        diag("it said: %s", c.said);
    child_run(&c, beside_main, &flags[1]);
    is_int(child_end(&c), -SIGSEGV, "but with QUOIT_NO_SIGNALS it is a plain crash");
}

static int nothing(void *arg)
{
    (void)arg;
    return 0;
}

static void all_is_put_back(void)
{
    struct sigaction before[2], after[2];
    stack_t stack_before, stack_after;

    sigaction(SIGSEGV, NULL, &before[0]);
    sigaction(SIGBUS, NULL, &before[1]);
    sigaltstack(NULL, &stack_before);
    is_int(quoit_main(nothing, NULL), 0, "after quoit_main");
    sigaction(SIGSEGV, NULL, &after[0]);
    sigaction(SIGBUS, NULL, &after[1]);
    sigaltstack(NULL, &stack_after);
    ok(before[0].sa_handler == after[0].sa_handler && before[1].sa_handler == after[1].sa_handler,
       "the handlers are as before");
    ok(stack_before.ss_sp == stack_after.ss_sp && stack_before.ss_flags == stack_after.ss_flags,
       "and so is the signal stack");
}

int main(void)
{
    static const char *const guards[] = { "auto", "mprotect", "canary" };

    for (int i = 0; i < 3; i++)
        overflow_is_named(guards[i]);
    stack_size_is_obeyed();
    in_place_is_named();
    other_faults_are_as_ever();
    all_is_put_back();
    return done_testing();
}
