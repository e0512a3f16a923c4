/* SPDX-License-Identifier: BSD-3-Clause
 * test-preempt-signals.c - SIGURG belongs to others, too
 *
 * Handlers of the program's before and after ours, children, and a process that may have neither
 * timers nor waiting signals. As in test-preempt.c, what comes in its time is waited for.
 */
#include "quoit.h"

#include "preempt-code.h"
#include "tap.h"
#include "world.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MANY = 3, WAKES = 10, SHORT_NS = 1000000, LOCKED = 10 };

static int heard, passed, all_right;
static struct sigaction below;

static void count(int *n)
{
    __atomic_add_fetch(n, 1, __ATOMIC_SEQ_CST);
}

static struct quoit_stats stats(void)
{
    struct quoit_stats st = { .size = sizeof st };

    quoit_stats(&st);
    return st;
}

static void beside(quoit_fn fn)
{
    struct quoit_g *g[MANY];
    uint64_t found[MANY];

    __atomic_store_n(&stop, 0, __ATOMIC_SEQ_CST);
    for (int i = 0; i < MANY; i++)
        g[i] = world_go_apart(fn, &found[i]);
    for (int i = 0; i < WAKES; i++)
        quoit_sleep(SHORT_NS);
    __atomic_store_n(&stop, 1, __ATOMIC_SEQ_CST);
    for (int i = 0; i < MANY; i++)
        world_join(g[i]);
}

/* Until somebody has got a signal for it. */
static void beside_signals(quoit_fn fn)
{
    uint64_t before = stats().signals;

    do
        beside(fn);
    while (stats().signals == before);
}

static void beside_injections(quoit_fn fn)
{
    uint64_t before = stats().preempts[1];

    do
        beside(fn);
    while (stats().preempts[1] == before);
}

/* ---- a handler that was there before -------------------------------------------------------- */

static void hears(int sig)
{
    (void)sig;
    count(&heard);
}

static int with_theirs_below(void *arg)
{
    struct sigaction now;

    (void)arg;
    heard = 0;
    beside_signals(loops);
    is_int(heard, 0, "our signals are not shown to a handler that was there before");
    raise(SIGURG);
    is_int(heard, 1, "those of others are");
    sigaction(SIGURG, NULL, &now);
    ok(now.sa_flags & SA_RESTART && now.sa_handler != hears, "ours stands before it");
    return 0;
}

static void has_theirs(const char *what)
{
    struct sigaction now;

    sigaction(SIGURG, NULL, &now);
    ok(now.sa_handler == hears, "%s", what);
}

/* ---- one that came after, and calls ours ---------------------------------------------------- */

/* On whatever stack the signal comes in. */
static void passes(int sig, siginfo_t *info, void *context)
{
    count(&passed);
    if (below.sa_flags & SA_SIGINFO)
        below.sa_sigaction(sig, info, context);
}

static int with_theirs_above(void *arg)
{
    struct sigaction theirs = { .sa_sigaction = passes, .sa_flags = SA_SIGINFO | SA_RESTART };
    uint64_t want, found = 0, before, wrong = 0;

    (void)arg;
    sigaction(SIGURG, &theirs, &below);
    before = stats().preempts[1];
    sums(&want);
    for (int i = 0; i < WAKES; i++) {
        struct quoit_g *g = world_go_apart(sums, &found);

        beside_signals(loops);
        world_join(g);
        wrong += found != want;
    }
    is_int((int)wrong, 0, "a handler on the goroutine's stack leaves it alone");
    is_int((int)(stats().preempts[1] - before), 0, "and puts no call into it");
    ok(passed > 0, "though the signals came in");
    return 0;
}

static int calls_theirs_once(void *arg)
{
    (void)arg;
    heard = passed = 0;
    raise(SIGURG);
    is_int(passed, 1, "a handler that stayed above ours is called once");
    is_int(heard, 1, "and so is the one that was there at first");
    return 0;
}

/* ---- errno ---------------------------------------------------------------------------------- */

static int keeps_errno(void *arg)
{
    errno = ELOOP;
    while (!__atomic_load_n(&stop, __ATOMIC_SEQ_CST))
        if (errno != ELOOP)
            count(arg);
    return 0;
}

static int errno_is_kept(void *arg)
{
    struct quoit_g *g;
    int wrong = 0;

    (void)arg;
    __atomic_store_n(&stop, 0, __ATOMIC_SEQ_CST);
    g = world_go_apart(keeps_errno, &wrong);
    beside_signals(loops);
    world_join(g);
    is_int(wrong, 0, "errno is what it was");
    return 0;
}

/* ---- threads that end, and children --------------------------------------------------------- */

static int ends_locked(void *arg)
{
    uint64_t found;

    quoit_lock_thread();
    sums(&found);
    count(arg);
    return 0;
}

/* Their timers are armed, or fire, as they end. */
static int threads_end(void *arg)
{
    struct quoit_g *g[LOCKED];
    int ended = 0;

    (void)arg;
    for (int i = 0; i < LOCKED; i++)
        g[i] = world_go_apart(ends_locked, &ended);
    for (int i = 0; i < LOCKED; i++)
        world_join(g[i]);
    is_int(ended, LOCKED, "threads end that have been asked");
    return 0;
}

static int nothing(void *arg)
{
    (void)arg;
    return 5;
}

static int child(void)
{
    struct sigaction now;

    sigaction(SIGURG, NULL, &now);
    if (now.sa_handler != SIG_DFL)
        return 1;
    raise(SIGURG);
    calls(&(uint64_t){ 0 });
    return quoit_main(nothing, NULL) == 5 ? 0 : 2;
}

/* With signals on their way. */
static int forks(void *arg)
{
    (void)arg;
    for (int i = 0; i < WAKES && all_right == i; i++) {
        int status = -1;
        pid_t pid;

        beside(loops);
        pid = fork();
        if (pid == 0)
            _exit(child());
        if (pid > 0 && waitpid(pid, &status, 0) == pid && status == 0)
            all_right++;
    }
    is_int(all_right, WAKES, "a child has the action that was there before");
    return 0;
}

/* ---- nothing is to be had ------------------------------------------------------------------- */

static int without_timers(void *arg)
{
    (void)arg;
    beside_injections(loops);
    ok(true, "where no timer is to be had a plain signal does");
    return 0;
}

static void no_timers(void)
{
    struct rlimit before, none;

    getrlimit(RLIMIT_SIGPENDING, &before);
    none = before;
    none.rlim_cur = 0;
    setrlimit(RLIMIT_SIGPENDING, &none);
    is_int(quoit_main(without_timers, NULL), 0, "and all ends well");
    setrlimit(RLIMIT_SIGPENDING, &before);
}

int main(void)
{
    struct sigaction theirs = { .sa_handler = hears, .sa_flags = SA_RESTART };
    struct sigaction plain = { .sa_handler = SIG_DFL };

    if (world_handlers_are_late())
        skip_all("handlers do not find what their signals interrupted");
    setenv("QUOIT_QUANTUM", "2ms", 1);
    is_int(quoit_main(forks, NULL), 0, "after children");
    is_int(quoit_main(errno_is_kept, NULL), 0, "after a loop");
    is_int(quoit_main(threads_end, NULL), 0, "after threads");
    no_timers();
    sigaction(SIGURG, &theirs, NULL);
    is_int(quoit_main(with_theirs_below, NULL), 0, "with a handler before ours");
    has_theirs("which is there again");
    is_int(quoit_main(with_theirs_above, NULL), 0, "and one after it");
    is_int(quoit_main(calls_theirs_once, NULL), 0, "and started again");
    sigaction(SIGURG, &plain, NULL);
    is_int(quoit_main(errno_is_kept, NULL), 0, "and when both have gone");
    return done_testing();
}
