/* SPDX-License-Identifier: BSD-3-Clause
 * test-sigquit.c - SIGQUIT prints what GOTRACEBACK says and ends the program with code 2
 */
#include "quoit.h"

#include "child.h"
#include "tap.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { MOMENTS = 50 };

static bool begun;

/* By now it waits, whoever else had a turn. */
static int has_begun(void *arg)
{
    (void)arg;
    __atomic_store_n(&begun, true, __ATOMIC_RELEASE);
    return 1;
}

/* Not static and exported, so it has a name at run time. */
__attribute__((__noinline__, __visibility__("default"))) int waits_inside(void *arg)
{
    (void)arg;
    quoit_park(has_begun, NULL, "for good");
    /* No tail call, so there is a frame. */
    __asm__ volatile("" ::: "memory");
    return 0;
}

static __attribute__((__noreturn__)) int quits(void *arg)
{
    struct quoit_attr attr = QUOIT_ATTR_INIT;

    attr.name = "sleeper";
    if (quoit_go_attr(&attr, waits_inside, NULL) != 0)
        _exit(3);
    while (!__atomic_load_n(&begun, __ATOMIC_ACQUIRE))
        quoit_yield();
    kill(getpid(), SIGQUIT);
    for (;;)
        if (arg != NULL)
            quoit_yield();
}

static int runs_and_quits(void *level)
{
    if (level != NULL)
        setenv("GOTRACEBACK", level, 1);
    return quoit_main(quits, NULL);
}

static int busy_and_quits(void *arg)
{
    unsetenv("GOTRACEBACK");
    return quoit_main(quits, &arg);
}

/* ---- in the middle of anything ---- */

static int leaf(void *arg)
{
    quoit_yield();
    return arg != NULL;
}

static int makes_and_joins(void *arg)
{
    for (;;) {
        struct quoit_attr attr = QUOIT_ATTR_INIT;
        struct quoit_g *g;

        attr.handle = &g;
        if (quoit_go(leaf, arg) != 0 || quoit_go_attr(&attr, leaf, arg) != 0)
            _exit(3);
        quoit_join(g, NULL);
    }
}

static void *quits_later(void *ns)
{
    struct timespec t = { 0, *(long *)ns };

    nanosleep(&t, NULL);
    kill(getpid(), SIGQUIT);
    return NULL;
}

static int works(void *ns)
{
    pthread_t t;

    for (int i = 0; i < 50; i++)
        if (quoit_go(makes_and_joins, NULL) != 0)
            _exit(3);
    if (pthread_create(&t, NULL, quits_later, ns) != 0)
        _exit(3);
    return makes_and_joins(NULL);
}

static int works_and_quits(void *ns)
{
    unsetenv("GOTRACEBACK");
    return quoit_main(works, ns);
}

static void at_any_moment(void)
{
    static struct child c;
    int right = 0;

    for (long i = 0; i < MOMENTS; i++) {
        long ns = i * 97003;

        child_run(&c, works_and_quits, &ns);
        right += child_end(&c) == 2 && strncmp(c.said, "SIGQUIT: quit\nSCHED ", 20) == 0 &&
                 strstr(c.said, "stood still") == NULL;
    }
    is_int(right, MOMENTS, "whatever its thread was in the middle of");
}

/* ---- whose handler it is ---- */

static int keeps_its_own(void *arg)
{
    struct sigaction sa;

    (void)arg;
    signal(SIGQUIT, SIG_IGN);
    quoit_init(NULL);
    sigaction(SIGQUIT, NULL, &sa);
    if (sa.sa_handler != SIG_IGN)
        return 1;
    quoit_shutdown(INT64_MAX);
    signal(SIGQUIT, SIG_DFL);
    quoit_init(NULL);
    sigaction(SIGQUIT, NULL, &sa);
    if (sa.sa_handler == SIG_DFL)
        return 2;
    quoit_shutdown(INT64_MAX);
    sigaction(SIGQUIT, NULL, &sa);
    return sa.sa_handler != SIG_DFL ? 3 : 0;
}

static int has_no_signals(void *arg)
{
    struct quoit_options o = { .size = sizeof o, .flags = QUOIT_NO_SIGNALS };
    struct sigaction sa;

    (void)arg;
    if (quoit_init(&o) != 0)
        return 1;
    sigaction(SIGQUIT, NULL, &sa);
    return sa.sa_handler != SIG_DFL ? 2 : 0;
}

/* Lines of goroutines with a frame in the library that is no public function's. A thread between
 * two of them, which the signal may come upon, is shown with all that it has. */
static int inner_frames(const char *said)
{
    const char *thread = strstr(said, " [outside goroutines]:\n"), *end;
    const char *line = thread != NULL ? strstr(thread, "\n\n") : said;
    int n = 0;

    for (; line != NULL && (end = strchr(line, '\n')) != NULL; line = end + 1) {
        const char *in = strstr(line, "(libquoit.so"), *name = strstr(line, " quoit_");

        n += in != NULL && in < end && (name == NULL || name > in);
    }
    return n;
}

int main(void)
{
    static char none[] = "none", single[] = "single", all[] = "all", system[] = "system",
                crash[] = "crash";
    static struct child c;

    /* A shell's background commands ignore it, and Quoit leaves alone who does. */
    signal(SIGQUIT, SIG_DFL);
    child_run(&c, runs_and_quits, NULL);
    is_int(child_end(&c), 2, "SIGQUIT: exit code 2");
    ok(strncmp(c.said, "SIGQUIT: quit\n", 14) == 0, "its line comes first");
    ok(child_said(&c, "\nSCHED ") && child_said(&c, "\"sleeper\" [for good, ") &&
           child_said(&c, " waits_inside+0x"), "then everything");
    child_run(&c, busy_and_quits, NULL);
    is_int(child_end(&c), 2, "in the middle of switches");
    child_run(&c, runs_and_quits, none);
    is_str(c.said, "SIGQUIT: quit\n", "none: nothing more");
    is_int(child_end(&c), 2, "the same exit code");
    child_run(&c, runs_and_quits, single);
    ok(strstr(c.said, "sleeper") == NULL && strstr(c.said, "SCHED") == NULL,
       "single: nobody else");
    ok(strstr(c.said, "goroutine 1 [running]:\n") != NULL ||
           child_said(&c, " [outside goroutines]:\n"),
       "but what the signal came upon");
    is_int(child_end(&c), 2, "the same exit code");
    child_run(&c, runs_and_quits, all);
    ok(child_said(&c, "\"sleeper\""), "all: as without");
    is_int(inner_frames(c.said), 0, "with no inner frames");
    child_run(&c, runs_and_quits, system);
    ok(child_said(&c, "\"sleeper\""), "system: everybody");
    is_int(child_end(&c), 2, "the same exit code");
    child_run(&c, runs_and_quits, crash);
    is_int(child_end(&c), -SIGABRT, "crash: aborts in the end");
    ok(child_said(&c, "\"sleeper\""), "after all was said");
    child_run(&c, keeps_its_own, NULL);
    is_int(child_end(&c), 0, "who ignores it is left alone, and all is given back");
    child_run(&c, has_no_signals, NULL);
    is_int(child_end(&c), 0, "QUOIT_NO_SIGNALS");
#ifdef __SANITIZE_THREAD__
    skip("TSan delivers a signal at a call that it knows, and switches make none");
#else
    at_any_moment();
#endif
    return done_testing();
}

