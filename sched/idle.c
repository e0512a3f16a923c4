/* SPDX-License-Identifier: BSD-3-Clause
 * idle.c - M's without a P: put to sleep, chosen, woken
 *
 * An M sleeps in the poller: in its ring when I/O of its goroutines is in flight, else on a
 * futex. An idle M keeps no P, but the P it held last remembers it: its thread is bound to the
 * right core. It sleeps no longer than until the next deadline of that P.
 *
 * Who wakes an M has taken it off the idle list under sched.lock and put a P into m->nextp. An
 * M that wakes by itself, because I/O completed, takes itself off the list under the same lock,
 * if it is still on it.
 */
#include "cpu.h"

#include "children.h"

#include "m.h"
#include "p.h"
#include "proc.h"
#include "throw.h"
#include "timer.h"
#include "world.h"

#include <errno.h>
#include <string.h>

enum { WORLD_SPIN_NS = 50000 };

/* A thread more than there are P's that has had nothing to do for so long ends. */
static const int64_t IDLE_NS = 5 * INT64_C(1000000000);

/* ---- idle M's (all under sched.lock) -------------------------------------------------------- */

void midleput_locked(struct m *mp)
{
    mp->idle = true;
    mp->idlelink = sched.idlem;
    sched.idlem = mp;
    /* hint: read without the lock by m_sleep */
    store_relaxed(&sched.nmidle, sched.nmidle + 1);
}

void midledrop_locked(struct m *mp)
{
    struct m **at = &sched.idlem;

    while (*at != mp)
        at = &(*at)->idlelink;
    *at = mp->idlelink;
    mp->idle = false;
    /* hint: as above */
    store_relaxed(&sched.nmidle, sched.nmidle - 1);
}

/* The M that held pp last if it is idle, else one whose thread is bound to the same place, else one
 * of the same node, else any. */
static struct m *best_locked(const struct p *pp)
{
    struct m *mp = pp->lastm, *near = NULL;

    if (mp != NULL && mp->idle)
        return mp;
    for (mp = sched.idlem; mp != NULL && mp->boundslot != pp->place.slot; mp = mp->idlelink)
        if (near == NULL && mp->node == pp->place.node)
            near = mp;
    if (mp != NULL)
        return mp;
    return near != NULL ? near : sched.idlem;
}

/* Where its thread is bound to another place, somebody may be at work there: it would wake up only
 * after a turn of theirs. It is asleep, so nobody else binds it. */
static struct m *midleget_locked(const struct p *pp)
{
    struct m *mp = best_locked(pp);

    if (mp == NULL)
        return NULL;
    midledrop_locked(mp);
    if (mp->boundslot >= 0 && mp->boundslot != pp->place.slot)
        m_loosen(mp);
    return mp;
}

/* ---- sleep ---------------------------------------------------------------------------------- */

/* There are enough without it. */
static bool may_leave_locked(const struct m *mp)
{
    return mp != sched.m0 && mp->idle && load_relaxed(&mp->help) == 0 &&
           sched.nmidle > load_relaxed(&sched.nprocs) &&
           mp->poll_pending + load_relaxed(&mp->poll_inflight) == 0;
}

/* Why the M woke: a P it was given, or one for I/O that completed; NULL: neither, and *leave: it is
 * off the idle list and is to go. */
static struct p *woken_for(struct m *mp, bool late, bool *leave)
{
    struct p *pp;

    lock(&sched.lock);
    pp = mp->nextp;
    store_relaxed(&mp->nextp, NULL);
    if (pp == NULL && !load_relaxed(&sched.stopping) && !load_relaxed(&sched.gcwaiting) && !late)
        pp = pidleget_locked(mp->lastp);
    if (pp == NULL && late)
        mp->leaving = may_leave_locked(mp);
    if (pp == NULL)
        m_looks_locked(mp);
    *leave = pp == NULL && (mp->leaving || load_relaxed(&sched.stopping));
    if (mp->idle && (pp != NULL || *leave))
        midledrop_locked(mp);
    unlock(&sched.lock);
    return pp;
}

void m_looks_locked(struct m *mp)
{
    mp->awake = true;
    sched.nlooks++;
}

void m_rests(struct m *mp)
{
    lock(&sched.lock);
    mp->awake = false;
    unlock(&sched.lock);
}

/* The world is hardly ever stopped for long, and waking a sleeping core is. */
static void wait_for_world(const struct m *mp)
{
    int64_t until = nanotime() + WORLD_SPIN_NS;

    while (load_relaxed(&sched.gcwaiting) && load_relaxed(&mp->help) == 0 && nanotime() < until)
        cpu_relax();
}

/* It watches the P that it held last, while nobody else holds that. */
static int64_t next_deadline(const struct m *mp)
{
    const struct p *pp = mp->lastp;

    /* hint: who takes the P looks by itself, and sysmon sees to what is late all the same */
    if (pp == NULL || load_relaxed(&pp->m) != NULL || load_relaxed(&sched.gcwaiting))
        return INT64_MAX;
    return timers_next(pp);
}

void tell_drained(void)
{
    /* order DRAIN in: goroutines that ended here were counted before the fence of second_look or
     * handoffp, so either drain counts them or they are told of here; out: drain */
    if (load_acquire(&sched.draining))
        note_wake(&sched.drained);
}

void m_sleep(struct m *mp)
{
    struct p *pp = NULL;

    /* Libraries that were loaded meanwhile: here nobody waits. */
    children_refresh();
    tell_drained();
    while (pp == NULL) {
        struct glist list = { NULL, NULL, 0 };
        /* hint: one more or less ends early or late */
        bool spare = load_relaxed(&sched.nmidle) > load_relaxed(&sched.nprocs);
        int64_t end = spare ? nanotime() + IDLE_NS : INT64_MAX, next = next_deadline(mp);
        bool leave;

        if (load_relaxed(&sched.gcwaiting))
            wait_for_world(mp);
        /* hint: a P that comes later comes with a wake-up */
        if (load_relaxed(&mp->nextp) == NULL)
            netpoll_sleep(mp, next < end ? next : end);
        world_help(mp);
        pp = woken_for(mp, spare && nanotime() >= end, &leave);
        if (leave)
            return;
        /* Every P is busy: what completed or is due goes to where they look. */
        if (pp == NULL) {
            if (next != INT64_MAX)
                timers_look(mp, mp->lastp);
            netpoll_reap(mp, &list);
            injectglist(mp, &list);
            m_rests(mp);
        }
    }
    acquirep(mp, pp);
}

void stopm(struct m *mp)
{
    lock(&sched.lock);
    midleput_locked(mp);
    unlock(&sched.lock);
    m_sleep(mp);
}

void come_to_rest(struct m *mp)
{
    lock(&sched.lock);
    if (!load_relaxed(&sched.gcwaiting)) {
        unlock(&sched.lock);
        return;
    }
    if (mp->spinning)
        add_relaxed(&sched.nmspinning, -1u);
    mp->spinning = false;
    pidleput_locked(releasep(mp));
    midleput_locked(mp);
    unlock(&sched.lock);
    m_sleep(mp);
}

/* ---- wake ----------------------------------------------------------------------------------- */

/* Without a thread for it the P is idle, and those that run do its work. */
static cold void no_thread(struct p *pp, bool spinning, int e)
{
    static uint32_t said; /* a  a hint: once is enough */

    lock(&sched.lock);
    pidleput_locked(pp);
    unlock(&sched.lock);
    if (spinning)
        add_relaxed(&sched.nmspinning, -1u);
    if (e != -ECANCELED && !load_relaxed(&said)) {
        store_relaxed(&said, 1);
        log_line(LOG_WARNING,
                 "no further thread can be started (%s): goroutines run on fewer cores; lower "
                 "GOMAXPROCS or raise the limit of tasks",
                 strerrorname_np(-e));
    }
}

/* An idle M for pp, if there is one; startm wakes it. */
static struct m *choose_locked(struct p *pp, bool spinning)
{
    struct m *mp = midleget_locked(pp);

    if (mp != NULL) {
        store_relaxed(&mp->nextp, pp);
        mp->spinning = spinning;
        add_relaxed(&mp->wakers, 1);
    }
    return mp;
}

/* Wakes the chosen one, or starts an M for pp. */
static void startm(struct p *pp, struct m *mp, bool spinning)
{
    int e, saved = errno;

    if (mp != NULL) {
        netpoll_wake(mp);
        /* order WAKER out: the wake-up comes first; in: m_leave_thread */
        add_release(&mp->wakers, -1u);
        return;
    }
    e = m_start(pp, spinning);
    if (e < 0)
        no_thread(pp, spinning, e);
    errno = saved;
}

/* One caller at a time: the count of spinning M's is the ticket. Who found no idle P looks
 * again after giving the ticket back, for a P may have become idle while others saw the ticket
 * taken and left it to us. */
cold void wakep_slow(struct m *mp)
{
    while (fence_and_load(&sched.npidle) != 0) {
        struct p *pp;
        struct m *m2 = NULL;
        uint32_t seen = 0;

        /* order SPIN-DOWN full: the put is out, and only one goes on; in: second_look,
         * spinning_ends */
        if (load_relaxed(&sched.nmspinning) != 0 || !cas_full(&sched.nmspinning, &seen, 1))
            return;
        lock(&sched.lock);
        pp = pidleget_locked(mp != NULL ? mp->p : NULL);
        if (pp != NULL)
            m2 = choose_locked(pp, true);
        unlock(&sched.lock);
        if (pp != NULL) {
            if (mp != NULL && mp->p != NULL)
                count_add(&mp->p->count.wakes, 1);
            startm(pp, m2, true);
            return;
        }
        /* order SPIN-DOWN full: the ticket is back before idle P's are looked for; in: second_look
         */
        add_full(&sched.nmspinning, -1u);
    }
}

/* Of a stop that came to its deadline some P's are still held, or on their way to an M.
 * The M's are chosen before the first of them may go on: those that wait_for_world then find a P,
 * and do not sleep. */
void startm_each(void)
{
    uint32_t n = sched.nprocs;

    lock(&sched.lock);
    for (uint32_t i = 0; i < n; i++) {
        struct p *pp = sched.allp[i];

        pp->starts = pp->stopped && p_has_work(pp);
        if (pp->starts)
            pp->heir = choose_locked(pp, false);
        else if (pp->stopped)
            pidleadd_locked(pp);
        pp->stopped = false;
    }
    store_relaxed(&sched.gcwaiting, 0);
    unlock(&sched.lock);
    /* Who stops the world next may be at it by now, but waits for these P's. */
    for (uint32_t i = 0; i < n; i++)
        if (sched.allp[i]->starts)
            startm(sched.allp[i], sched.allp[i]->heir, false);
}

void m_give(struct m *mp, struct p *pp)
{
    lock(&sched.lock);
    store_relaxed(&mp->nextp, pp);
    add_relaxed(&mp->wakers, 1);
    unlock(&sched.lock);
    startm(pp, mp, false);
}

/* Who is idle or spins anyway will find what there is, unless nobody does. */
void handoffp(struct p *pp)
{
    struct m *mp = NULL;
    bool idle;

    lock(&sched.lock);
    idle = load_relaxed(&sched.gcwaiting) ||
           (!work_waits(pp) && npidle() + load_relaxed(&sched.nmspinning) > 0);
    if (idle)
        pidleput_locked(pp);
    else
        mp = choose_locked(pp, false);
    unlock(&sched.lock);
    if (!idle) {
        startm(pp, mp, false);
        return;
    }
    /* order SPIN-DOWN full: the P shows as idle before the last look; in: wakep */
    fence_heavy();
    if (work_anywhere())
        wakep(NULL);
}
