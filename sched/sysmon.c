/* SPDX-License-Identifier: BSD-3-Clause
 * sysmon.c - the watchman: a thread without M or P that looks after all others
 *
 * It looks every 20 us at first; when it has found nothing to do 50 times in a row it doubles the
 * pause, up to 10 ms; and sleeps until work begins when every P is idle or the world is stopped,
 * unless an M that blocks outside has operations in flight.
 * At each look it
 *
 *     - tells the time in sched.coarse;
 *     - takes completions that wait for an M that computes or blocks;
 *     - takes P's from M's that stand outside (retake), so that others run on them;
 *     - fires timers that are late: on a P that computes or has been retired, or is idle while the
 *       M that watched it runs elsewhere;
 *     - when nothing has run for a while, or goroutines wait for stacks, asks whether anything
 *       ever will again (checkdead.c);
 *     - prints what GODEBUG=schedtrace asks for (schedtrace.c);
 *     - wakes the housekeeper when a job of it is due (housekeep.c), from its sleep too;
 *     - once in a while looks for libraries that were loaded, and for cpus that came or went.
 *
 * A P is taken from a marked call at the second look that finds it in the same one, if something
 * waits for the P or nobody looks for work, and after 10 ms in any case. An M that is outside
 * without a mark loses its P when its thread has stood still for a quantum: its own cpu clock has
 * not moved. One whose goroutine did so before is believed at once.
 */
#include "sysmon.h"

#include "children.h"

#include "checkdead.h"
#include "env.h"
#include "gstatus.h"
#include "housekeep.h"
#include "m.h"
#include "os_linux.h"
#include "p.h"
#include "proc.h"
#include "schedtrace.h"
#include "syscall.h"
#include "timer.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum {
    LEAST_NS = 20000,
    LATE_NS = 50000,       /* a timer that is so late has nobody who looks */
    TIMERS_NS = 1000000,   /* while there are timers it looks that often, or when one is due */
    MOST_NS = 10000000,
    IDLE_LOOKS = 50,
    ASK_NS = 10000000,     /* then four times as long, and so on: a second in all */
    ASKS = 4,
    QUANTUM_NS = 10000000,
    INFLIGHT_NS = 500000, /* operations wait no longer than that for an M that computes */
    CHILDREN_NS = 100000000,
    KEEP_NS = 1000000,     /* the housekeeper is asked for no more often */
    STOPPED_NS = 100000000,
};

/* What it saw of a P at the last look. */
struct seen {
    const struct m *m;
    uint64_t schedtick;
    uint32_t syscalltick;
    int64_t since; /* all of that has not changed */
    int64_t cpu;   /* the thread's clock at `clocked`, -1: not read */
    int64_t clocked;
    bool computes; /* its goroutine is known to block, and does not this time */
};

static struct sysmon {
    pthread_t thread;
    bool running;
    uint32_t ending; /* a  under sched.lock where it counts */
    struct note end; /* a  NOTE */
    int64_t started, refreshed, kept;
    struct seen *seen; /* PROCS_MAX */
} sysmon;

/* ---- taking --------------------------------------------------------------------------------- */

/* True: pp is another M's, or idle. */
static bool take(struct m *mp)
{
    struct p *pp;

    lock(&sched.takelock);
    m_call(mp, WANT_P);
    fence_heavy();
    pp = m_take(mp);
    unlock(&sched.takelock);
    if (pp == NULL)
        return false;
    /* hint: relaxed, as anybody may look */
    store_relaxed(&sched.retakes, sched.retakes + 1);
    handoffp(pp);
    return true;
}

/* Something waits for the P, or it would be the only one that looks. */
static bool is_wanted(const struct p *pp)
{
    return work_waits(pp) || npidle() + load_relaxed(&sched.nmspinning) == 0;
}

/* Threads in such calls are bounded: beyond that the P waits. */
static bool may_lose_more(void)
{
    return load_relaxed(&sched.nlost) < (uint32_t)env.max_blocked;
}

static bool has_changed(struct seen *s, const struct p *pp, const struct m *mp, int64_t now)
{
    uint64_t schedtick = load_relaxed(&pp->schedtick);
    uint32_t syscalltick = load_relaxed(&mp->syscalltick);

    if (s->m == mp && s->schedtick == schedtick && s->syscalltick == syscalltick)
        return false;
    *s = (struct seen){ mp, schedtick, syscalltick, now, -1, now, false };
    return true;
}

/* In an unmarked call: the thread's clock has stood still for a quantum. */
static bool stands_still(struct seen *s, const struct m *mp, int64_t now)
{
    int64_t cpu;

    if (s->cpu >= 0 && now - s->clocked < QUANTUM_NS)
        return false;
    cpu = thread_cputime(mp->tid);
    /* On a busy machine a thread that computes stands still too. */
    if (cpu >= 0 && cpu == s->cpu && thread_sleeps(mp->tid))
        return true;
    s->cpu = cpu;
    s->clocked = now;
    return false;
}

/* A goroutine that is known to block is believed as soon as its thread's clock stands still between
 * two looks at it: each of its calls would else hold the P for a quantum. One that computes from
 * one look of sysmon to the next is known for it no more. */
static bool stands_again(struct seen *s, struct m *mp, int64_t now)
{
    int64_t before = s->cpu, cpu = thread_cputime(mp->tid);

    if (cpu >= 0 && cpu == thread_cputime(mp->tid))
        return true;
    if (before >= 0 && cpu - before > (now - s->clocked) / 2) {
        s->computes = true;
        m_call(mp, WANT_FORGET);
    }
    s->cpu = cpu;
    s->clocked = now;
    return false;
}

/* Has what mp is in, outside with gp, lasted long enough? The memory of gp may have been mapped a
 * moment ago, which TSan takes for a write. */
static no_sanitize_thread bool is_due(struct seen *s, const struct p *pp, struct m *mp,
                                      const struct quoit_g *gp, int64_t now)
{
    bool same = !has_changed(s, pp, mp, now);

    if (load_relaxed(&gp->status) == Gsyscall)
        return same && (is_wanted(pp) || now - s->since >= QUANTUM_NS);
    if (!is_wanted(pp))
        return false;
    return load_relaxed(&gp->blocks) && !s->computes ? stands_again(s, mp, now)
                                                     : same && stands_still(s, mp, now);
}

static bool retake_one(struct seen *s, struct p *pp, int64_t now)
{
    /* order HOLDER in: the M is whole; out: acquirep */
    struct m *mp = load_acquire(&pp->m);
    const struct quoit_g *gp;

    if (mp == NULL || load_relaxed(&mp->inside) != 0)
        return false;
    gp = load_relaxed(&mp->curg);
    if (gp == NULL || !is_due(s, pp, mp, gp, now))
        return false;
    return may_lose_more() && take(mp);
}

static int retake(int64_t now)
{
    int n = 0;

    for (uint32_t i = 0; i < nallp(); i++)
        n += retake_one(&sysmon.seen[i], sched.allp[i], now);
    return n;
}

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

/* An M blocks outside with operations in flight: nobody but the watchman takes what completes when
 * every P is idle. What it had was in flight before it lost its P. */
static bool lost_wait(void)
{
    bool wait = false;

    if (load_relaxed(&sched.nlost) == 0 || load_relaxed(&sched.gcwaiting))
        return false;
    for (struct m *mp = allm_first(); mp != NULL && !wait; mp = mp->alllink) {
        lock(&mp->lock);
        wait = mp->lost && load_relaxed(&mp->poll_inflight) > 0;
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

/* The longest pause. */
static int64_t most(int64_t now, bool inflight)
{
    int64_t least = inflight ? INFLIGHT_NS : MOST_NS, next = next_deadline();

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
        memset(sysmon.seen, 0, PROCS_MAX * sizeof *sysmon.seen);
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
        if (inflight && reap_all(NULL))
            idle = 0;
        idle = retake(now) + fire_late(now) > 0 ? 0 : idle + 1;
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
    sysmon.seen = calloc(PROCS_MAX, sizeof *sysmon.seen);
    if (sysmon.seen == NULL)
        return -ENOMEM;
    e = thread_start(&sysmon.thread, sysmon_main, NULL);
    sysmon.running = e == 0;
    if (e < 0)
        free(sysmon.seen);
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
    free(sysmon.seen);
}
