/* SPDX-License-Identifier: BSD-3-Clause
 * sysmon.c - the watchman: a thread without M or P that looks after all others
 *
 * It looks every 20 us at first; when it has found nothing to do 50 times in a row it doubles the
 * pause, up to 10 ms; and sleeps until work begins when every P is idle or the world is stopped,
 * unless an M that blocks outside has operations in flight.
 * At each look it
 *
 *     - tells the time in sched.coarse;
 *     - takes completions that wait for an M that computes or blocks, and submits what such a one
 *       has gathered;
 *     - takes P's from M's that stand outside or compute for too long (retake.c), so that others
 *       run on them;
 *     - fires timers that are late: on a P that computes or has been retired, or is idle while the
 *       M that watched it runs elsewhere;
 *     - when nothing has run for a while, or goroutines wait for stacks, asks whether anything
 *       ever will again (checkdead.c);
 *     - prints what GODEBUG=schedtrace asks for (schedtrace.c);
 *     - wakes the housekeeper when a job of it is due (housekeep.c), from its sleep too;
 *     - once in a while looks for libraries that were loaded, and for cpus that came or went.
 */
#include "sysmon.h"

#include "children.h"

#include "checkdead.h"
#include "env.h"
#include "hog.h"
#include "housekeep.h"
#include "m.h"
#include "os_linux.h"
#include "p.h"
#include "proc.h"
#include "retake.h"
#include "schedtrace.h"
#include "syscall.h"
#include "timer.h"

#include <pthread.h>

enum {
    LEAST_NS = 20000,
    LATE_NS = 50000,       /* a timer that is so late has nobody who looks */
    TIMERS_NS = 1000000,   /* while there are timers it looks that often, or when one is due */
    MOST_NS = 10000000,
    IDLE_LOOKS = 50,
    ASK_NS = 10000000,     /* then four times as long, and so on: a second in all */
    ASKS = 4,
    INFLIGHT_NS = 500000, /* operations wait no longer than that for an M that computes */
    CHILDREN_NS = 100000000,
    KEEP_NS = 1000000,     /* the housekeeper is asked for no more often */
    STOPPED_NS = 100000000,
};

static struct sysmon {
    pthread_t thread;
    bool running;
    uint32_t ending; /* a  under sched.lock where it counts */
    struct note end; /* a  NOTE */
    int64_t started, refreshed, kept;
} sysmon;

/* ---- timers --------------------------------------------------------------------------------- */

/* The next deadline anywhere. */
static int64_t next_deadline(void)
{
    int64_t next = INT64_MAX;

    for (uint32_t i = 0; i < nallp(); i++) {
        int64_t at = timers_next(sched.allp[i]);

        if (at < next)
            next = at;
    }
    return next;
}

static int fire_late(int64_t now)
{
    int n = 0;

    for (uint32_t i = 0; i < nallp(); i++)
        if (timers_next(sched.allp[i]) <= now - LATE_NS)
            n += timers_run(NULL, sched.allp[i], now);
    return n;
}

/* ---- the clockwork -------------------------------------------------------------------------- */

static void tell_time(int64_t now)
{
    /* hint: of milliseconds, for dumps */
    store_relaxed(&sched.coarse, (uint32_t)((now - sysmon.started) / 1000000));
}

static bool all_rest(void)
{
    return npidle() == load_relaxed(&sched.nprocs) || load_relaxed(&sched.gcwaiting);
}

/* An M blocks outside with operations of others: nobody but the watchman submits them, and takes
 * what completes, when every P is idle. */
static bool lost_wait(void)
{
    bool wait = false;

    if (load_relaxed(&sched.nlost) == 0 || load_relaxed(&sched.gcwaiting))
        return false;
    for (struct m *mp = allm_first(); mp != NULL && !wait; mp = mp->alllink) {
        lock(&mp->lock);
        wait = mp->lost && load_relaxed(&mp->poll_pending) + load_relaxed(&mp->poll_inflight) > 0;
        unlock(&mp->lock);
    }
    return wait;
}

/* True: sched.sysmonwait is set, and whoever begins work wakes us. */
static bool sleep_begins(int64_t *until)
{
    bool sleep;

    *until = INT64_MAX;
    lock(&sched.lock);
    sleep = all_rest() && !load_relaxed(&sysmon.ending);
    /* Whoever added a timer has given its P up under this lock. */
    if (!load_relaxed(&sched.gcwaiting) && next_deadline() < INT64_MAX - LATE_NS)
        *until = next_deadline() + LATE_NS;
    if (sleep) {
        note_clear(&sched.sysmonnote);
        store_relaxed(&sched.sysmonwait, true);
    }
    unlock(&sched.lock);
    return sleep;
}

/* True: woken before. */
static bool nap(int64_t until)
{
    for (;;) {
        int64_t due = schedtrace_due(), keep = housekeep_due(), now;

        if (keep < due)
            due = keep;
        if (note_sleep(&sched.sysmonnote, due < until ? due : until))
            return true;
        now = nanotime();
        if (now >= until)
            return false;
        tell_time(now);
        schedtrace_look(now);
        housekeep_look(now);
    }
}

/* False: woken. After ASK_NS, and some times more, it is asked whether anybody ever will. */
static bool sleep_and_ask(int64_t until)
{
    int64_t pause = ASK_NS;
    int asks = ASKS;

    while (asks > 0) {
        int64_t at = nanotime() + pause;

        if (at >= until)
            break;
        if (nap(at))
            return false;
        /* It may be about to let somebody go on. */
        if (!housekeep_rests())
            continue;
        checkdead(--asks == 0);
        pause *= 4;
    }
    return !nap(until);
}

/* Until work begins, or a timer is late. */
static void deep_sleep(void)
{
    int64_t until;

    if (!sleep_begins(&until) || (!lost_wait() && !sleep_and_ask(until)))
        return;
    lock(&sched.lock);
    store_relaxed(&sched.sysmonwait, false);
    unlock(&sched.lock);
}

void sysmon_wake(void)
{
    bool sleeps;

    lock(&sched.lock);
    sleeps = sched.sysmonwait;
    store_relaxed(&sched.sysmonwait, false);
    unlock(&sched.lock);
    if (!sleeps)
        return;
    tell_time(nanotime());
    note_wake(&sched.sysmonnote);
}

static void look_after(int64_t now)
{
    if (now - sysmon.kept >= KEEP_NS) {
        sysmon.kept = now;
        housekeep_look(now);
    }
    if (now - sysmon.refreshed < CHILDREN_NS)
        return;
    sysmon.refreshed = now;
    children_refresh();
}

static void submit_overdue(int64_t now)
{
    for (struct m *mp = allm_first(); mp != NULL; mp = mp->alllink)
        if (load_relaxed(&mp->inside) == 0 && netpoll_overdue(mp, now))
            m_flush(mp);
}

/* The longest pause. */
static int64_t most(int64_t now, bool inflight)
{
    int64_t least = inflight ? INFLIGHT_NS : MOST_NS, next = next_deadline();
    int64_t pause = retake_pause(now);

    if (pause < least)
        least = pause;
    if (next == INT64_MAX)
        return least;
    next = next - now + LATE_NS;
    if (next < TIMERS_NS)
        next = TIMERS_NS;
    return next < least ? next : least;
}

/* In a process that was stopped for a while, by a debugger say, all clocks stood still. */
static void forget_if_stopped(int64_t now, int64_t expected)
{
    if (now - expected > STOPPED_NS)
        retake_forget();
}

static void *sysmon_main(void *arg unused_arg)
{
    int64_t pause = LEAST_NS, until;
    int idle = 0;

    while (until = nanotime() + pause, !note_sleep(&sysmon.end, until)) {
        int64_t now = nanotime();
        bool inflight;

        tell_time(now);
        schedtrace_look(now);
        forget_if_stopped(now, until);
        if (all_rest() && !lost_wait()) {
            if (load_relaxed(&sched.gcwaiting) || fire_late(now) == 0)
                deep_sleep();
            pause = LEAST_NS;
            idle = 0;
            continue;
        }
        inflight = netpoll_busy();
        if (inflight)
            submit_overdue(now);
        if (inflight && reap_all(NULL))
            idle = 0;
        idle = retake(now) + fire_late(now) > 0 ? 0 : idle + 1;
        hogs_look(now);
        look_after(now);
        if (load_relaxed(&sched.starving) > 0)
            checkdead_starved(now);
        if (idle == 0)
            pause = LEAST_NS;
        else if (idle > IDLE_LOOKS)
            pause *= 2;
        if (pause > most(now, inflight))
            pause = most(now, inflight);
    }
    return NULL;
}

/* ---- start and end -------------------------------------------------------------------------- */

int sysmon_start(void)
{
    int e;

    sysmon = (struct sysmon){ .started = nanotime() };
    schedtrace_begin(sysmon.started);
    e = retake_init();
    if (e < 0)
        return e;
    e = thread_start(&sysmon.thread, NULL, sysmon_main, NULL);
    sysmon.running = e == 0;
    if (e < 0)
        retake_fini();
    return e;
}

void sysmon_stop(void)
{
    if (!sysmon.running)
        return;
    lock(&sched.lock);
    store_relaxed(&sysmon.ending, 1);
    unlock(&sched.lock);
    note_wake(&sysmon.end);
    sysmon_wake();
    pthread_join(sysmon.thread, NULL);
    sysmon.running = false;
    retake_fini();
}
