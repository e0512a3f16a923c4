/* SPDX-License-Identifier: BSD-3-Clause
 * syscall.c - inside and outside: who has which P, and what an M does that is called to the door
 *
 * m->inside is 1 while the M runs Quoit's own code; user code, libc and all else run outside.
 * From an M that is outside its P can be taken at any moment, without a word to its thread: it
 * may block, mask signals or sit in a call that nothing interrupts.
 *
 *     the M, at a public entry            who takes its P, or calls it
 *     1. inside = 1                       1. under m->lock: say what is wanted, revoked = 1
 *     2. light fence (INSIDE)             2. heavy fence
 *     3. revoked set? entry_slow:         3. under m->lock: still wanted, and inside 0?
 *        under m->lock: wanted no more,      then it is ours
 *        is there still a P?
 *
 * Either the M sees revoked and meets the taker in m->lock, or the taker sees it inside and
 * leaves it alone. A taker that found it inside has not failed for ever: the M looks at its door.
 * Into a marked call, which may be the last thing that it does for long, it goes in the same way:
 * inside = 0, fence, revoked set? So what was wanted is not left until the call ends.
 *
 * A marked call (quoit_syscall_enter) is the same with a sign on the goroutine, Gsyscall, that
 * tells sysmon not to wait long. One whose goroutine lost its P in the call before gives it away
 * by itself.
 */
#include "syscall.h"

#include "foreign.h"
#include "hold.h"
#include "m.h"
#include "p.h"
#include "proc.h"
#include "quiesce.h"
#include "switch.h"
#include "sysmon.h"
#include "throw.h"
#include "world.h"

#include <errno.h>

/* A marked call that gave the P away and was back sooner should not have. */
enum { SHORT_NS = 20000 };

/* ---- taking --------------------------------------------------------------------------------- */

void m_call(struct m *mp, enum want want)
{
    lock(&mp->lock);
    mp->want |= want;
    /* hint: who sees it finds under the lock what is wanted */
    store_relaxed(&mp->revoked, fence_bias | 1);
    unlock(&mp->lock);
}

void m_forget(struct m *mp, enum want want)
{
    lock(&mp->lock);
    mp->want &= ~(uint32_t)want;
    unlock(&mp->lock);
}

/* It is outside. Once the world is being stopped only marked calls count as stopped, and who is
 * held. */
static bool may_lose(const struct m *mp)
{
    bool marked = load_relaxed(&mp->curg->status) == Gsyscall;

    return mp->locks == 0 &&
           (marked || hold_has(mp) ||
            (!load_relaxed(&sched.gcwaiting) && mp->curg->stk->nopreempt == 0));
}

struct p *m_take(struct m *mp, bool computes)
{
    struct p *pp = NULL;
    bool outside;

    lock(&mp->lock);
    /* order INSIDE in: all that was done inside is seen; out: leave */
    outside = (mp->want & WANT_P) && load_acquire(&mp->inside) == 0 && mp->p != NULL;
    mp->keeps = outside && !may_lose(mp);
    if (outside && !mp->keeps) {
        pp = mp->p;
        /* hint: quoit_yield reads it before it looks whether it was taken */
        store_relaxed(&mp->p, NULL);
        store_relaxed(&pp->m, NULL);
        mp->lost = true;
        mp->hog = computes;
        mp->hogcpu = 0;
        add_relaxed(&sched.nlost, 1);
        add_relaxed(&sched.nhogs, computes);
        /* hint: here and not in sysmon, for it cannot end before it has come in: where this lies,
         * the next one's record has an argument */
        if (!computes && !load_relaxed(&sched.gcwaiting))
            store_relaxed(&mp->curg->blocks, 1);
    }
    mp->want &= ~(uint32_t)WANT_P;
    unlock(&mp->lock);
    return pp;
}

void m_flush(struct m *mp)
{
    m_call(mp, WANT_MAIL);
    fence_heavy();
    lock(&mp->lock);
    /* Wanted still, so it has not come in since; and if it does now it waits for the lock. */
    /* order INSIDE in: all that was done inside is seen; out: leave */
    if ((mp->want & WANT_MAIL) && load_acquire(&mp->inside) == 0)
        netpoll_flush_for(mp);
    unlock(&mp->lock);
}

struct p *m_call_take(struct m *mp, bool computes)
{
    struct p *pp;

    lock(&sched.takelock);
    m_call(mp, WANT_P);
    fence_heavy();
    pp = m_take(mp, computes);
    unlock(&sched.takelock);
    return pp;
}

/* The memory of the goroutine may have been mapped a moment ago, which TSan takes for a write. */
no_sanitize_thread bool runs_outside(const struct m *mp)
{
    const struct quoit_g *gp = load_relaxed(&mp->curg);

    return gp != NULL && load_relaxed(&mp->inside) == 0 && load_relaxed(&gp->status) == Grunning;
}

/* ---- at the door ---------------------------------------------------------------------------- */

/* Another idle P, or the goroutine waits for one in the shared queue and the M for work. */
static struct m *regain(struct m *mp)
{
    struct p *pp = NULL;

    lock(&sched.lock);
    if (!load_relaxed(&sched.gcwaiting))
        pp = pidleget_locked(mp->lastp);
    unlock(&sched.lock);
    if (pp == NULL)
        return switch_to_g0(mp, AFTER_LOST);
    acquirep(mp, pp);
    return mp;
}

/* What was wanted of the M; true: it has a P. */
static bool come_in(struct m *mp, uint32_t *want)
{
    /* Not under locks: nothing may park there, so the next entry looks again. */
    uint32_t later = mp->locks > 0 ? WANT_VISIT | WANT_PASS | WANT_YIELD : 0;
    bool holds;

    if (mp->curg->stk->nopreempt > 0)
        later |= WANT_YIELD;
    lock(&mp->lock);
    *want = mp->want & ~later;
    mp->want &= later;
    store_relaxed(&mp->revoked, fence_bias | (mp->locks > 0 || mp->want != 0));
    holds = mp->p != NULL;
    if (mp->lost)
        add_relaxed(&sched.nlost, -1u);
    if (mp->hog)
        add_relaxed(&sched.nhogs, -1u);
    mp->lost = mp->hog = false;
    /* Under the lock: a start that goes on without this M waits here (m_forget), so no later stop
     * counts it. */
    if (*want & WANT_COUNT)
        world_stopped_one_locked();
    unlock(&mp->lock);
    return holds;
}

/* Its goroutine had its P for a quantum, and others wait. */
static struct m *yield_at_door(struct m *mp, enum rung rung)
{
    count_add(&mp->p->count.preempts[rung], 1);
    turn_ends(mp->p);
    return switch_to_g0(mp, AFTER_YIELD);
}

static struct m *called(struct m *mp, enum rung rung)
{
    uint32_t want;
    bool holds;

    if (unlikely(mp->curg->status == Gsyscall))
        gstatus_set(mp->curg, Gsyscall, Grunning);
    holds = come_in(mp, &want);
    /* First: for a P it may have to wait. */
    if (want & WANT_MAIL)
        netpoll_mail(mp);
    if (!holds && !load_relaxed(&sched.stopping))
        return regain(mp);
    if (want & WANT_FORGET)
        /* hint: sysmon's */
        store_relaxed(&mp->curg->blocks, 0);
    /* Abandoned: nobody will resume this goroutine; a thread that is not ours goes on alone. */
    if (load_relaxed(&sched.stopping))
        return mp->foreign ? foreign_abandoned(mp) : switch_to_g0(mp, AFTER_NOTHING);
    if (mp->locks == 0 && load_relaxed(&sched.gcwaiting))
        return switch_to_g0(mp, want & WANT_YIELD ? AFTER_YIELD : AFTER_FIRST);
    if (want & WANT_YIELD)
        return yield_at_door(mp, rung);
    return want & WANT_VISIT ? give_way(mp) : mp;
}

struct m *entry_slow(struct m *mp)
{
    int e;

    if (fence_and_load(&mp->revoked) == 0)
        return mp;
    e = errno_get();
    mp = called(mp, RUNG_ASKED);
    errno_put(e);
    return mp;
}

void door(struct m *mp, enum rung rung)
{
    int e = errno_get();

    store_relaxed(&mp->inside, 1);
    /* order INSIDE full: inside is set before revoked is read; in: m_take */
    fence_light();
    if (fence_and_load(&mp->revoked) != 0)
        mp = called(mp, rung);
    leave(mp);
    errno_put(e);
}

struct m *enter_g(const char *who)
{
    struct m *mp = enter();

    if (unlikely(mp == NULL))
        no_goroutine(who);
    return mp;
}

/* ---- marked calls --------------------------------------------------------------------------- */

static cold void hand_off(struct m *mp)
{
    struct p *pp = releasep(mp);

    lock(&mp->lock);
    mp->lost = true;
    add_relaxed(&sched.nlost, 1);
    /* Its own call: at the way back it looks for a P. */
    store_relaxed(&mp->revoked, fence_bias | 1);
    unlock(&mp->lock);
    mp->handedoff = nanotime();
    add_relaxed(&sched.handoffs, 1);
    handoffp(pp);
}

/* Called while it went out, when it still showed as inside. The call may last as long as the stop,
 * so nobody may wait for its end: what the taker has left alone is given away here. */
static cold void outside_called(struct m *mp)
{
    int e = errno_get();
    bool holds;

    if (fence_and_load(&mp->revoked) == 0)
        return;
    store_relaxed(&mp->inside, 1);
    /* Who takes the P does it under the lock, and does not after this. */
    lock(&mp->lock);
    holds = mp->p != NULL;
    unlock(&mp->lock);
    if (holds && load_relaxed(&sched.gcwaiting))
        hand_off(mp);
    leave(mp);
    errno_put(e);
}

/* From inside to outside, as told. */
static void outside_begins(struct m *mp, const char *who, bool at_once)
{
    struct quoit_g *gp = mp->curg;

    if (unlikely(mp->locks > 0))
        pinned(who);
    if (unlikely(gp->status != Grunning))
        throw("%s: in a marked call already", who);
    if (unlikely(mp->poll_pending > 0))
        netpoll_flush(mp);
    gstatus_set(gp, Grunning, Gsyscall);
    /* hint: sysmon tells one call from the next */
    store_relaxed(&mp->syscalltick, mp->syscalltick + 1);
    if (unlikely(at_once)) {
        hand_off(mp);
        leave(mp);
        return;
    }
    leave(mp);
    /* order INSIDE full: it shows as outside before revoked is read; in: m_take */
    fence_light();
    if (unlikely(load_relaxed(&mp->revoked) != 0))
        outside_called(mp);
}

static cold void outside_ends_slow(struct m *mp)
{
    int64_t since = mp->handedoff;
    struct quoit_g *gp = mp->curg;

    if (since != 0) {
        mp->handedoff = 0;
        if (nanotime() - since < SHORT_NS)
            store_relaxed(&gp->blocks, 0);
    }
    mp = entry_slow(mp);
    if (mp != NULL) {
        /* A call with nothing behind it: revoked was set, and is no more. */
        if (gp->status == Gsyscall)
            gstatus_set(gp, Gsyscall, Grunning);
        leave(mp);
    }
}

void quoit_syscall_enter(void)
{
    struct m *mp = enter_g(__func__);

    outside_begins(mp, __func__, load_relaxed(&mp->curg->blocks) && work_waits(mp->p));
}

void quoit_syscall_exit(void)
{
    struct m *mp = m_get();

    /* The child of a fork, or a thread whose Quoit has ended meanwhile. */
    if (unlikely(mp == NULL))
        return;
    store_relaxed(&mp->inside, 1);
    /* order INSIDE full: inside is set before revoked is read; in: m_take */
    fence_light();
    if (unlikely(load_relaxed(&mp->revoked) != 0)) {
        outside_ends_slow(mp);
        return;
    }
    /* Grunning: what was called in between has called Quoit, as a function of quoit_block may. */
    if (likely(mp->curg->status == Gsyscall))
        gstatus_set(mp->curg, Gsyscall, Grunning);
    leave(mp);
}

int block_inline(struct m *mp, quoit_fn fn, void *arg)
{
    int r, e = errno_get();

    outside_begins(mp, "quoit_block", true);
    r = fn(arg);
    errno_put(e);
    quoit_syscall_exit();
    return r;
}
