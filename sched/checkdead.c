/* SPDX-License-Identifier: BSD-3-Clause
 * checkdead.c - does anything remain that could make a goroutine go on?
 *
 * If not, all goroutines are asleep for ever, and a program of which they are all there is ends
 * with code 2. It must not end by mistake. So sysmon asks, when every P has been idle for a while,
 * and the answer is put together like this:
 *
 *     1. under sched.lock every P is idle, and sched.sysmonwait is set. Whoever takes a P from here
 *        on clears it (acquirep), so as long as it is set no goroutine has run.
 *     2. nothing is under way: no I/O, no job of a pool; and nobody else is there: no thread that
 *        is not ours, no handler of a signal
 *     3. heavy fence
 *     4. under sched.lock again: sysmonwait is still set, every P idle, every M asleep, no timer
 *        set, all queues empty
 *
 * Whoever could wake a goroutine has been seen by then:
 *
 *     a goroutine                    needs a P: 1, 4
 *     an M that was given a P        is on no list, or has it in m->nextp, and its P is not idle: 4
 *     an M in foreign code, without  is neither on the idle list nor parked, and all M's are
 *       a P, or on its way back      counted: 4
 *     an M that begins or leaves     the same
 *     an M without a P that took     m->awake, from before it takes them until they are in a queue,
 *       completions or fired timers  both under sched.lock: 4
 *     sysmon, which does so too      asks, so it does not
 *     I/O in flight, jobs            2. They are started by goroutines only, and counted until
 *                                    their goroutine is in a queue: who counts them down has
 *                                    passed the light fence of wakep before (SPIN-DOWN), and 4
 *                                    comes after the heavy one. So 2 sees the count, or 4 the
 *                                    goroutine
 *     a timer                        4; set by goroutines only
 *     the housekeeper                rests, nothing waits to be freed (what is freed may wake
 *                                    somebody), and it is woken by sysmon only, which asks
 *     an attached thread             4, and 2
 *     any other thread               2: /proc/self/task has more than ours. They are started by
 *                                    goroutines, by jobs and by each other only
 *     a signal                       2: none has a handler but ours, and those of faults, which
 *                                    nobody can commit who does not run
 *     a child process                can reach us by I/O or a signal only
 *     who has stopped the world      runs, or is another thread; and then nobody is asked
 *
 * Where 2 finds somebody else, or cannot know (no /proc), the program is left alone, and after a
 * second without any change one warning says so. Under quoit_init there always is somebody else: a
 * warning only for who asked for it.
 *
 * Threads are counted, not listed: the kernel gives the number in one piece (the links of
 * /proc/self/task), a list may miss one while another ends. Ours are counted after that, and each
 * of them is certain to live while it is counted; so one of theirs is never taken for ours.
 *
 * The seed asks when an M goes to sleep. Turned down: the look at /proc would stand between the
 * last goroutine's wait and the sleep of its core, also for programs that are only waiting for a
 * thread of their own; and whoever holds completions while others go to sleep would have to ask
 * once more. For the same price sysmon asks a few times in a second of idleness, and misses none.
 */
#include "checkdead.h"

#include "block.h"
#include "deferfree.h"
#include "dump.h"
#include "env.h"
#include "gfree.h"
#include "housekeep.h"
#include "init.h"
#include "m.h"
#include "p.h"
#include "proc.h"
#include "rungs.h"
#include "sigquit.h"
#include "stack.h"
#include "throw.h"
#include "timer.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { STARVED_NS = 100000000 };

static const int64_t warn_ns = 60 * INT64_C(1000000000);

/* ---- 2: who else is there ------------------------------------------------------------------- */

/* Of the process, in this moment; 0: the kernel does not tell. */
static long count_threads(void)
{
    struct stat st;

    if (stat("/proc/self/task", &st) != 0)
        return 0;
    return (long)st.st_nlink - 2;
}

/* Each of them is asleep, or is the caller. Every M that is counted is on the idle list or parked:
 * that is looked at afterwards. */
static long count_ours(void)
{
    return (long)load_relaxed(&sched.nm) + 1 + housekeep_threads() + block_threads() +
           netpoll_threads();
}

/* A thread that the kernel keeps for some ring of the process: it runs nobody's code. */
static bool is_ring_worker(const char *tid)
{
    enum { PF_IO_WORKER = 0x10 };
    char path[64], line[512];
    unsigned flags = 0;
    const char *end;
    FILE *f;

    snprintf(path, sizeof path, "/proc/self/task/%.16s/stat", tid);
    f = fopen(path, "re");
    if (f == NULL)
        return false;
    if (fgets(line, sizeof line, f) != NULL && (end = strrchr(line, ')')) != NULL)
        (void)sscanf(end, ") %*c %*d %*d %*d %*d %*d %u", &flags);
    fclose(f);
    return flags & PF_IO_WORKER;
}

/* Those among n threads; as many as to make the answer no, where the list is not of n. */
static long count_ring_workers(long n)
{
    DIR *dir = opendir("/proc/self/task");
    const struct dirent *d;
    long listed = 0, workers = 0;

    if (dir == NULL)
        return 0;
    while ((d = readdir(dir)) != NULL) {
        if (d->d_name[0] == '.')
            continue;
        listed++;
        workers += is_ring_worker(d->d_name);
    }
    closedir(dir);
    return listed == n && count_threads() == n ? workers : 0;
}

static bool only_our_threads(void)
{
    long n = count_threads(), ours = count_ours();

    return n > 0 && (n == ours || (n > ours && n - count_ring_workers(n) == ours));
}

/* Nobody runs who could commit one. */
static bool is_fault(int sig)
{
    return sig == SIGSEGV || sig == SIGBUS || sig == SIGFPE || sig == SIGILL || sig == SIGTRAP ||
           sig == SIGABRT || sig == SIGSYS;
}

static bool no_handlers(void)
{
    for (int sig = 1; sig <= SIGRTMAX; sig++) {
        struct sigaction now;

        if (is_fault(sig) || sigaction(sig, NULL, &now) != 0)
            continue;
        if (!(now.sa_flags & SA_SIGINFO) &&
            (now.sa_handler == SIG_DFL || now.sa_handler == SIG_IGN))
            continue;
        if (!(sig == SIGQUIT && sigquit_is_ours(&now)) && !(sig == SIGURG && rungs_alone(&now)))
            return false;
    }
    return true;
}

static bool nobody_else(void)
{
    int saved = errno;
    bool nobody = no_handlers() && only_our_threads();

    errno = saved;
    return nobody;
}

/* ---- 1 and 4: who could go on --------------------------------------------------------------- */

static bool no_timers(void)
{
    for (uint32_t i = 0; i < nallp(); i++)
        if (timers_next(sched.allp[i]) != INT64_MAX)
            return false;
    return true;
}

/* Every M is asleep, and holds no P but one for which it has no stack. */
static bool all_rest_locked(void)
{
    uint32_t n = 0, starving = 0;

    if (load_relaxed(&sched.stopping) || load_relaxed(&sched.gcwaiting) ||
        load_relaxed(&sched.nforeign) > 0)
        return false;
    for (const struct m *mp = allm_first(); mp != NULL; mp = mp->alllink) {
        starving += mp->starves != 0;
        if (!mp->idle && !mp->parked)
            continue;
        if (mp->awake || mp->nextp != NULL)
            return false;
        n++;
    }
    return n + starving == sched.nm && npidle() + starving == sched.nprocs && no_timers();
}

/* True: *by_main says who started Quoit. */
static bool at_rest(bool *by_main)
{
    bool rest;

    if (num_goroutine() == 0 || !housekeep_rests() || deferred_due() != INT64_MAX)
        return false;
    lock(&sched.lock);
    rest = sched.sysmonwait && all_rest_locked() && !work_anywhere();
    if (rest)
        *by_main = sched.m0 != NULL;
    unlock(&sched.lock);
    return rest;
}

/* ---- what follows --------------------------------------------------------------------------- */

noreturn_fn static void die(const char *why)
{
    enum traceback level = env_traceback(TRACEBACK_ALL);

    only_one_dies();
    if (env.log != NULL)
        env.log(LOG_FATAL, why, env.log_arg);
    stderr_line("fatal error: %s", why);
    stderr_line("%s", "");
    dump_asleep(level);
    end_program(level);
}

/* Hints: they may go on meanwhile. */
static no_sanitize_thread int add_waiting(struct quoit_g *gp, void *sum)
{
    if (load_relaxed(&gp->status) == Gwaiting && !(gp->flags & G_SYSTEM))
        *(uint64_t *)sum += gp->id * UINT64_C(0x9e3779b97f4a7c15) ^ (uintptr_t)gp->reason;
    return 0;
}

/* Once for the same ones, and hardly ever: a program may live like this. */
static void warn(const char *why)
{
    static uint64_t last;
    static int64_t when;
    uint64_t sum = 0;
    int64_t now = nanotime();

    (void)allgs(add_waiting, &sum);
    if (when != 0 && (sum == last || now - when < warn_ns))
        return;
    last = sum;
    when = now;
    log_line(LOG_WARNING,
             "%s; only a thread that is not Quoit's, or a signal, can change that. Where each one "
             "waits: SIGQUIT, or quoit_dump()", why);
}

void checkdead(bool last)
{
    static const char asleep[] = "all goroutines are asleep - deadlock!";
    bool by_main, alone;

    if (!at_rest(&by_main) || netpoll_busy())
        return;
    alone = by_main && nobody_else();
    if (!alone && !(last && (by_main || env.flags & QUOIT_DEADLOCK_WARN)))
        return;
    /* order SPIN-DOWN full: what is under way was counted before queues are looked at; in: wakep */
    fence_heavy();
    if (!at_rest(&by_main))
        return;
    if (alone)
        die(asleep);
    warn("all goroutines are asleep");
}

/* ---- waiting for stacks --------------------------------------------------------------------- */

/* The same argument with two differences. P's are held by M's that try again each millisecond, and
 * queues are not empty: that nobody has run is seen by the ticks of all P's, and everybody in a
 * queue must be one that has not started. The smallest class that is wanted must be one that an
 * M has just failed to get: who needs less room than others may still find it. */

struct wanted {
    bool others; /* somebody is ready who has a stack */
    int least;
};

static no_sanitize_thread int see_wanted(struct quoit_g *gp, void *arg)
{
    struct wanted *w = arg;
    uint32_t status = load_relaxed(&gp->status);

    if (status != Grunnable)
        return 0;
    w->others |= gp->stk != NULL;
    if (gp->class < w->least)
        w->least = gp->class;
    return w->others;
}

static bool is_refused_locked(int class)
{
    for (const struct m *mp = allm_first(); mp != NULL; mp = mp->alllink)
        if (mp->starves == class + 1)
            return true;
    return false;
}

/* Between two looks nobody has taken completions without a P. */
static bool starve_locked(uint64_t *looks, int class)
{
    bool same = *looks == sched.nlooks;

    *looks = sched.nlooks;
    return all_rest_locked() && (class < 0 || (same && is_refused_locked(class)));
}

static bool starve(uint64_t *looks, int class)
{
    bool rest;

    lock(&sched.lock);
    rest = starve_locked(looks, class);
    unlock(&sched.lock);
    return rest;
}

void checkdead_starved(int64_t now)
{
    static const char no_stack[] = "no memory for a stack, and no goroutine is left that could "
                                   "free one - deadlock!";
    static uint64_t ticks;
    static int64_t since;
    struct wanted w = { false, STACK_CLASSES };
    uint64_t seen = p_ticks(), looks = 0;
    bool alone;

    if (seen != ticks || since == 0)
        since = now;
    ticks = seen;
    if (now - since < STARVED_NS)
        return;
    since = now;
    if (!starve(&looks, -1) || netpoll_busy())
        return;
    alone = sched.m0 != NULL && nobody_else();
    /* order SPIN-DOWN full: as in checkdead; in: wakep */
    fence_heavy();
    (void)allgs(see_wanted, &w);
    if (w.others || !starve(&looks, w.least) || p_ticks() != ticks)
        return;
    if (alone)
        die(no_stack);
    if (sched.m0 != NULL || env.flags & QUOIT_DEADLOCK_WARN)
        warn("no memory for a stack, and no goroutine is left that could free one");
}
