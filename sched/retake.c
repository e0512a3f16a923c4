/* SPDX-License-Identifier: BSD-3-Clause
 * retake.c - P's are taken from who holds them for too long
 *
 * Called by sysmon, who looks at each P in turn and remembers what it saw. What follows depends
 * on what the M does:
 *
 *     in a marked call       its P is taken at the second look that finds it in the same one, if
 *                            something waits for the P or nobody looks for work, and after a
 *                            quantum in any case;
 *     stands in other code   its P is taken when its thread's own cpu clock has not moved for a
 *                            quantum, and somebody wants it. A goroutine that did so before is
 *                            believed at once, and one that begins with the same function as such
 *                            a one when its thread sleeps at the second look;
 *     computes               if something waits that nobody else would run, it is asked after a
 *                            quantum to give way at its next call of Quoit. If it makes none its
 *                            P is taken before the second quantum is over, and it goes on as a
 *                            hog (hog.c).
 *
 * While work waits and every P computes, sysmon looks twice a quantum: so a turn was half a quantum
 * old at most when it was first seen, and its P is taken one and a half after that. Turned down:
 * to have each switch store the time, which costs it a read of the clock.
 */
#include "retake.h"

#include "env.h"
#include "hog.h"
#include "m.h"
#include "os_linux.h"
#include "p.h"
#include "proc.h"
#include "rungs.h"
#include "schedtrace.h"
#include "syscall.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What it saw of a P at the last look. */
struct seen {
    const struct m *m;
    uint64_t schedtick;
    uint32_t syscalltick;
    int64_t turn;     /* its goroutine has had the P since */
    int64_t since;    /* and nothing else has changed either */
    int64_t cpu;      /* the thread's clock at `clocked`, -1: not read */
    int64_t clocked;
    bool computes;    /* its goroutine is known to block, and does not this time */
    int64_t asked;    /* when it was asked to give way, 0: not yet */
    bool urged;       /* by means of rungs.c, too */
    int64_t askedcpu; /* the thread's clock then */
    int64_t again;    /* its P was not to be had: not before that */
};

enum { LOG_BLOCKING = 6 };

static struct retake {
    struct seen *seen; /* PROCS_MAX */
    quoit_fn blocking[1 << LOG_BLOCKING]; /* functions whose goroutines stood still, by hash */
    bool proc_tells;   /* /proc says whether a thread sleeps */
    bool full;         /* something waits, and no M looks for it */
    bool pressed;      /* some goroutine runs that others wait for */
    int64_t due;       /* when the first of those is to be looked at */
} at;

/* ---- taking --------------------------------------------------------------------------------- */

/* True: pp is another M's, or idle. */
static bool take(struct m *mp, bool computes)
{
    struct p *pp = m_call_take(mp, computes);

    if (pp == NULL)
        return false;
    if (computes)
        hog_begins(mp, pp);
    else
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
    return load_relaxed(&sched.nlost) - load_relaxed(&sched.nhogs) < (uint32_t)env.max_blocked;
}

static bool has_changed(struct seen *s, const struct p *pp, const struct m *mp, int64_t now)
{
    uint64_t schedtick = load_relaxed(&pp->schedtick);
    uint32_t syscalltick = load_relaxed(&mp->syscalltick);
    bool turn = s->m != mp || s->schedtick != schedtick;

    if (turn)
        *s = (struct seen){ .m = mp, .schedtick = schedtick, .turn = now };
    else if (s->syscalltick == syscalltick)
        return false;
    s->syscalltick = syscalltick;
    s->since = s->clocked = now;
    s->cpu = -1;
    s->computes = false;
    return true;
}

/* ---- who stands still ----------------------------------------------------------------------- */

/* In an unmarked call: the thread's clock has stood still for a quantum. */
static bool stands_still(struct seen *s, const struct m *mp, int64_t now)
{
    int64_t cpu;

    if (s->cpu >= 0 && now - s->clocked < env.quantum)
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

/* Where a service starts a goroutine for each request, the first that blocks teaches about all. */
static quoit_fn *blocking_like(quoit_fn fn)
{
    uint64_t hash = (uint64_t)(uintptr_t)fn * UINT64_C(0x9e3779b97f4a7c15);

    return &at.blocking[hash >> (64 - LOG_BLOCKING)];
}

/* It may be over, and its record another one's: by peek, as no compiler moves that read away. */
static quoit_fn fn_of(const struct quoit_g *gp)
{
    quoit_fn fn;

    peek(&fn, &gp->fn, sizeof fn);
    return fn;
}

/* A look at /proc, which tells for sure: sleeps that are over before the next look are left out. */
static bool sleeps_like_others(const struct m *mp, quoit_fn fn, bool same)
{
    int64_t cpu;

    if (!same || !at.proc_tells || *blocking_like(fn) != fn)
        return false;
    cpu = thread_cputime(mp->tid);
    return cpu >= 0 && cpu == thread_cputime(mp->tid) && thread_sleeps(mp->tid);
}

/* The memory of gp may have been mapped a moment ago, which TSan takes for a write. */
static no_sanitize_thread bool in_marked_call(const struct quoit_g *gp)
{
    return load_relaxed(&gp->status) == Gsyscall;
}

/* Has what mp is in, outside with gp, lasted long enough? */
static no_sanitize_thread bool is_due(struct seen *s, const struct p *pp, struct m *mp,
                                      const struct quoit_g *gp, bool same, int64_t now)
{
    if (in_marked_call(gp))
        return same && (is_wanted(pp) || now - s->since >= env.quantum);
    if (!is_wanted(pp))
        return false;
    if (load_relaxed(&gp->blocks) && !s->computes)
        return stands_again(s, mp, now);
    return sleeps_like_others(mp, fn_of(gp), same) || (same && stands_still(s, mp, now));
}

/* It has an M that is outside, with gp. */
static bool take_from_blocked(struct m *mp, const struct quoit_g *gp, bool marked)
{
    quoit_fn fn = fn_of(gp);

    if (!may_lose_more() || !take(mp, false))
        return false;
    if (!marked)
        *blocking_like(fn) = fn;
    return true;
}

/* ---- who computes --------------------------------------------------------------------------- */

static void due_at(int64_t when)
{
    at.pressed = true;
    if (when < at.due)
        at.due = when;
}

static void ask(struct seen *s, struct m *mp, int64_t now)
{
    s->asked = now;
    s->askedcpu = thread_cputime(mp->tid);
    m_call(mp, WANT_YIELD);
}

/* The first time that it is found at work. One that blocks is left in peace: its call might end for
 * the signal. */
static void urge(struct seen *s, struct m *mp)
{
    s->urged = !thread_sleeps(mp->tid);
    if (s->urged)
        rungs_ask(mp);
}

/* Since it was asked its thread has been on a cpu for long enough to do something about it; on a
 * busy machine that is waited for, but not for long. */
static bool has_run(const struct seen *s, const struct m *mp, int64_t now)
{
    int64_t ran = thread_cputime(mp->tid) - s->askedcpu;

    return ran >= (now < s->asked + 2 * env.quantum ? env.quantum / 4 : 1);
}

/* Others wait for the P: if its goroutine has had it for a quantum it is asked. True: half a
 * quantum later it has made no call, and its thread has not stood still. */
static bool overstays(struct seen *s, struct m *mp, bool computes, int64_t now)
{
    int64_t last = s->turn + env.quantum;

    if (s->asked == 0 && now >= last)
        ask(s, mp, now);
    if (s->asked != 0 && !s->urged && computes)
        urge(s, mp);
    if (s->asked != 0)
        last = (s->asked > s->since ? s->asked : s->since) + env.quantum / 2;
    if (last < s->again)
        last = s->again;
    due_at(last);
    return s->asked != 0 && computes && now >= last && has_run(s, mp, now);
}

/* Nobody else would run what waits. */
static bool is_pressed(const struct p *pp)
{
    return at.full || work_waits(pp);
}

static bool take_from_hog(struct seen *s, struct p *pp, struct m *mp, int64_t now)
{
    s->again = now + env.quantum / 2;
    if (!hog_may_begin(mp, pp, now))
        return false;
    if (!take(mp, true)) {
        hog_keeps(mp, pp);
        return false;
    }
    hog_told(mp);
    return true;
}

/* ---- one after the other -------------------------------------------------------------------- */

static bool retake_one(struct seen *s, struct p *pp, int64_t now)
{
    /* order HOLDER in: the M is whole; out: acquirep */
    struct m *mp = load_acquire(&pp->m);
    const struct quoit_g *gp = mp != NULL ? load_relaxed(&mp->curg) : NULL;
    bool same, over, outside, marked;

    if (gp == NULL)
        return false;
    outside = load_relaxed(&mp->inside) == 0;
    same = !has_changed(s, pp, mp, now);
    marked = in_marked_call(gp);
    over = is_pressed(pp) && overstays(s, mp, outside && !marked, now);
    if (!outside)
        return false;
    if (is_due(s, pp, mp, gp, same, now))
        return take_from_blocked(mp, gp, marked);
    return over && same && take_from_hog(s, pp, mp, now);
}

int retake(int64_t now)
{
    int n = 0;

    at.pressed = false;
    at.due = INT64_MAX;
    at.full = npidle() + load_relaxed(&sched.nmspinning) == 0 && work_anywhere();
    for (uint32_t i = 0; i < nallp(); i++)
        n += retake_one(&at.seen[i], sched.allp[i], now);
    return n;
}

int64_t retake_pause(int64_t now)
{
    int64_t most = env.quantum;

    if (!at.pressed)
        return most;
    most = at.due - now < most / 2 ? at.due - now : most / 2;
    return most > env.quantum / 32 ? most : env.quantum / 32;
}

void retake_forget(void)
{
    memset(at.seen, 0, PROCS_MAX * sizeof *at.seen);
}

int retake_init(void)
{
    at = (struct retake){
        .seen = calloc(PROCS_MAX, sizeof *at.seen),
        .proc_tells = !thread_sleeps(os_gettid()),
    };
    return at.seen != NULL ? 0 : -ENOMEM;
}

void retake_fini(void)
{
    free(at.seen);
}
