/* SPDX-License-Identifier: BSD-3-Clause
 * test-throw.c - the text of the end and its exit code; lines for the log
 */
#include "throw.h"

#include "tls.h"

#include "child.h"
#include "env.h"
#include "gmp.h"
#include "os_linux.h"
#include "tap.h"

#include <errno.h>
#include <pthread.h>
#include <search.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Instead of the scheduler's. */
struct sched sched;

static struct child c;
static char where[] = "runqgrab", prefix[] = "> ";
static struct quoit_g g = { .id = 17, .flags = G_NAMED, .name = "worker" };
static struct quoit_g other = { .id = 18 };
static struct m m1 = { .curg = &g, .id = 1, .tid = 1001 };
static struct m m2 = { .curg = &other, .id = 2, .tid = 1002, .alllink = &m1 };
static struct m m3 = { .id = 3, .tid = 1003, .alllink = &m2 };

static int plainly(void *arg)
{
    throw("%s: %d is not %d", (char *)arg, 1, 2);
}

static int on_goroutine(void *arg)
{
    tls_set(&m1);
    sched.allm = &m3;
    return plainly(arg);
}

static int compare(const void *a, const void *b)
{
    (void)a, (void)b;
    throw("compare: called");
}

static int below_libc(void *arg)
{
    int v[] = { 2, 1 };
    size_t n = 2;

    (void)arg;
    return lfind(v, v, &n, sizeof v[0], compare) == v;
}

static void says_what_who_and_where(void)
{
    child_run(&c, plainly, where);
    is_int(child_end(&c), 2, "exit code 2");
    ok(strncmp(c.said, "fatal error: runqgrab: 1 is not 2\n", 34) == 0, "what, on the first line");
    ok(child_said(&c, "[outside goroutines]:\n"), "who, in a thread that runs no goroutine");
    ok(child_said(&c, "(test-throw+0x"), "where, for addr2line");
    ok(strstr(c.said, " throw+") == NULL, "throw itself is not part of it");
    child_run(&c, on_goroutine, where);
    ok(child_said(&c, "goroutine 17 \"worker\" [running]:\n"), "who, in a goroutine");
    ok(strstr(c.said, "goroutine 18") == NULL, "the others only when asked for");
    child_run(&c, below_libc, NULL);
    ok(child_said(&c, " lfind"), "names where there are some");
}

static void has_levels(void)
{
    env.traceback = TRACEBACK_NONE;
    child_run(&c, on_goroutine, where);
    is_str(c.said, "fatal error: runqgrab: 1 is not 2\n", "none: the first line only");
    is_int(child_end(&c), 2, "and the same exit code");
    env.traceback = TRACEBACK_ALL;
    child_run(&c, on_goroutine, where);
    ok(child_said(&c, "goroutine 17 \"worker\" [running]:\n"), "all: who failed");
    ok(strstr(c.said, "SCHED") == NULL, "and nothing of the machinery");
    env.traceback = TRACEBACK_SYSTEM;
    child_run(&c, on_goroutine, where);
    ok(child_said(&c, "goroutine 17 \"worker\" [running]:\n"), "system: who failed");
    ok(child_said(&c, "\nSCHED 0ms: gomaxprocs=0 "), "a summary");
    ok(child_said(&c, "\n  M2: p=-1 curg=18 "), "the other goroutines that run");
    ok(child_said(&c, "\n  M3: p=-1 curg=-1 "), "and threads without one");
    env.traceback = TRACEBACK_CRASH;
    child_run(&c, on_goroutine, where);
    is_int(child_end(&c), -SIGABRT, "crash: aborts");
    ok(child_said(&c, "tid=1002"), "after all has been said");
    env.traceback = TRACEBACK_UNSET;
}

static void throw_again(int level, const char *line, void *arg)
{
    (void)level, (void)line, (void)arg;
    throw("again");
}

static int in_throw(void *arg)
{
    env.log = throw_again;
    return plainly(arg);
}

static void *throw_in_thread(void *arg)
{
    pthread_barrier_wait(arg);
    throw("one of many");
}

static int all_at_once(void *arg)
{
    enum { N = 8 };
    pthread_barrier_t together;
    pthread_t t;

    (void)arg;
    pthread_barrier_init(&together, NULL, N);
    for (int i = 0; i < N; i++)
        if (pthread_create(&t, NULL, throw_in_thread, &together) != 0)
            return 0;
    pthread_join(t, NULL);
    return 0;
}

static void ends_once(void)
{
    const char *first;

    child_run(&c, in_throw, where);
    is_int(child_end(&c), 4, "a throw inside a throw: exit code 4, at once");
    child_run(&c, all_at_once, NULL);
    is_int(child_end(&c), 2, "many throw at once");
    first = strstr(c.said, "fatal error");
    ok(first != NULL && strstr(first + 1, "fatal error") == NULL, "one is told of");
}

static char heard[LOG_BYTES];
static int heard_level;

static void listen(int level, const char *line, void *arg)
{
    errno = EIO;
    heard_level = level;
    snprintf(heard, sizeof heard, "%s%s", (const char *)arg, line);
}

static int log_to_stderr(void *arg)
{
    char big[4 * LOG_BYTES];

    (void)arg;
    log_line(LOG_WARNING, "%d sheep", 3);
    log_line(LOG_ERROR, "no sheep");
    log_line(LOG_INFO, "nobody asked");
    memset(big, 'x', sizeof big - 1);
    big[sizeof big - 1] = '\0';
    log_line(LOG_WARNING, "%s", big);
    return 0;
}

static void logs(void)
{
    child_run(&c, log_to_stderr, NULL);
    ok(strncmp(c.said, "quoit: warning: 3 sheep\nquoit: error: no sheep\nquoit: warning: x",
               64) == 0,
       "prefix and level on stderr, no information");
    is_int(strlen(strstr(c.said, "xxx") - 16), LOG_BYTES - 1, "what is too long is cut");
    is_int(c.said[strlen(c.said) - 1], '\n', "and ends its line");
    env.log = listen;
    env.log_arg = prefix;
    errno = ENOENT;
    log_line(LOG_INFO, "%s", "for you");
    is_int(errno, ENOENT, "errno is kept");
    is_str(heard, "> for you", "a program's own log gets all of it, without a prefix");
    is_int(heard_level, LOG_INFO, "and the level");
    env.log = NULL;
}

int main(void)
{
    env_load(NULL);
    says_what_who_and_where();
    has_levels();
    ends_once();
    logs();
    return done_testing();
}
