/* SPDX-License-Identifier: BSD-3-Clause
 * test-schedtrace.c - GODEBUG=schedtrace prints what Go prints
 */
#include "quoit.h"

#include "child.h"
#include "tap.h"

#include <regex.h>
#include <stdlib.h>
#include <string.h>

enum { ASLEEP_NS = 200000000 };

static quoit_sema gate;

static int sleeps_locked(void *arg)
{
    quoit_lock_thread();
    quoit_sema_wait(&gate);
    return arg != NULL;
}

static int sleeps(void *arg)
{
    int e = quoit_go(sleeps_locked, arg);

    quoit_sleep(ASLEEP_NS);
    quoit_sema_post(&gate);
    return e;
}

static int traced(void *godebug)
{
    setenv("GODEBUG", godebug, 1);
    setenv("GOMAXPROCS", "2", 1);
    return quoit_main(sleeps, NULL);
}

static void run(struct child *c, const char *godebug)
{
    child_run(c, traced, (void *)(uintptr_t)godebug);
    is_int(child_end(c), 0, "GODEBUG=%s: the program goes on", godebug);
}

/* How many lines of what was said are this. */
static int lines(const struct child *c, const char *pattern)
{
    char text[sizeof c->said], *rest = text;
    regex_t re;
    int n = 0;

    if (regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB) != 0)
        bail("regcomp: %s", pattern);
    memcpy(text, c->said, sizeof text);
    for (char *line; (line = strsep(&rest, "\n")) != NULL;)
        n += regexec(&re, line, 0, NULL, 0) == 0;
    regfree(&re);
    if (n == 0)
        diag("no line is %s, of: %s", pattern, c->said);
    return n;
}

#define GO_LINE \
    "^SCHED [0-9]+ms: gomaxprocs=2 idleprocs=[012] threads=[0-9]+ spinningthreads=[0-9]+ " \
    "idlethreads=[0-9]+ runqueue=[0-9]+"

int main(void)
{
    struct child c;

    run(&c, "schedtrace=10");
    ok(lines(&c, GO_LINE " \\[[0-9]+ [0-9]+\\]$") >= 2, "Go's line, again and again, while idle");
    ok(strstr(c.said, "  P0:") == NULL, "and no more");
    run(&c, "netdns=go,schedtrace=20,scheddetail=1,");
    ok(lines(&c, GO_LINE " gcwaiting=0 nmidlelocked=[0-9]+ stopwait=[0-9]+ sysmonwait=[01] ") >= 1,
       "scheddetail: the state of the process");
    ok(lines(&c, "^  P1: status=[01] schedtick=[0-9]+ syscalltick=[0-9]+ m=-?[0-9]+ "
                 "runqsize=[0-9]+ gfreecnt=[0-9]+ .*node=[0-9]+ core=[0-9]+$") >= 1, "P's");
    ok(lines(&c, "^  M[01]: p=-?[0-9]+ curg=-?[0-9]+ locks=[0-9]+ spinning=[01] blocked=[01] "
                 "lockedg=-1 .*node=-?[0-9]+ core=-?[0-9]+$") >= 1, "M's");
    ok(lines(&c, "^  M[0-9]+: .* lockedg=[0-9]+ state=parked ") >= 1, "one waits for its own");
    ok(lines(&c, "^  G1: status=4\\(sleep\\) m=-1 lockedm=-1 node=[0-9]+ core=-1$") >= 1,
       "goroutines");
    ok(lines(&c, "^  G[0-9]+: status=4\\(semaphore\\) m=-1 lockedm=[0-9]+ ") >= 1,
       "and on which thread one is locked");
    run(&c, "schedtrace=soon,scheddetail=1");
    ok(lines(&c, "GODEBUG: schedtrace=soon is not a number") == 1 &&
       strstr(c.said, "SCHED") == NULL, "what is no number is complained of");
    run(&c, "netdns=go,schedtrace=5,schedtrace=0");
    is_str(c.said, "", "the last of a name counts, and Go's own are no mistake");
    return done_testing();
}
