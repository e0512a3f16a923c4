/* SPDX-License-Identifier: BSD-3-Clause
 * schedule.c - which goroutine runs next, and what an M does when there is none
 *
 * The order of search: own queues, the node's shared queue, completions of I/O, other P's from
 * near to far; then the P is given up, everything is looked at once more, and the M sleeps.
 * Work that is put somewhere and an M that goes to sleep meet in two words (edge SPIN-DOWN):
 *
 *     who puts work                        who goes to sleep
 *     1. put it into a queue               1. P onto the idle list (npidle + 1)
 *     2. light fence                       2. spinning no more (nmspinning - 1)
 *     3. npidle 0, or nmspinning not 0:    3. heavy fence
 *        nothing to do; else wake one      4. look at all queues again; work: take a P, go on
 *                                          5. sleep
 *
 * If 3 on the left saw no idle P, then 1 on the right came after it, so 4 sees the work. If it
 * saw a spinning M, that M's 2 and 4 are still to come. Fences: without the left one the put
 * may hide behind the look, without the right one the second look may come before the P shows
 * as idle. The right side pays (membarrier), since it is about to pay for a sleep anyhow.
 *
 * At most one M is called at a time; the last one that spins calls the next when it finds work.
 */
#include "cpu.h"

#include "proc.h"
#include "forkq.h"
#include "globrunq.h"
#include "gstatus.h"
#include "lockthread.h"
#include "m.h"
#include "p.h"
#include "pick.h"
#include "runq.h"
#include "switch.h"
#include "throw.h"
#include "timer.h"

enum {
    FAIR_TICKS = 61,      /* as in the seed: a prime, no pattern of the user's hides from it */
    DEPTH_LOOKS = 32,     /* of those at the oldest unstarted, while the newest are taken */
    STEAL_MAX = 256,      /* at once */
    SPIN_NS = 50000,      /* waking a sleeping core costs 10 us and takes 35 */
    STEAL_NEXT_NS = 3000, /* a goroutine readied last is left to its P for so long */
    STEAL_FAR_NS = SPIN_NS, /* a far P's only one, until its thief would go to sleep */
    NOSTACK_NS = 1000000, /* before a goroutine without a stack is tried again */
};

/* ---- the P's own ---------------------------------------------------------------------------- */

/* Where others are to run only what is old is submitted. Switches until that may be so again. */
static uint32_t poll(struct m *mp, bool others)
{
    struct glist list = { NULL, NULL, 0 };
    uint32_t rest = others && mp->poll_pending > 0 ? netpoll_rest(mp) : 0;

    if (rest == 0 && mp->poll_pending > 0)
        netpoll_flush(mp);
    if (load_relaxed(&mp->poll_inflight) > 0) {
        netpoll_reap(mp, &list);
        injectglist(mp, &list);
    }
    return rest > 0 && rest < FAIR_TICKS ? rest : FAIR_TICKS;
}

/* Where goroutines make others and wait for them, the newest is taken each time: depth first. An
 * old one in the middle of that leaves one more stack halfway down, so it has its turn seldom. */
static struct quoit_g *oldest_unstarted(struct p *pp)
{
    uint16_t newest = forkq_newest(load_relaxed(&pp->forkq.word));
    bool depth_first = newest != pp->newest;

    pp->newest = newest;
    return depth_first && ++pp->passed % DEPTH_LOOKS != 0 ? NULL : forkq_pop(&pp->forkq, false);
}

/* Every FAIR_TICKS: each source in turn comes first, so nobody starves behind those that ready
 * each other. */
noinline struct quoit_g *pick_fair(struct m *mp, bool parked)
{
    struct p *pp = mp->p;
    uint32_t rest = poll(mp, true);
    struct quoit_g *gp;

    timers_look(mp, pp);
    /* Its own goroutine only, and that one has just left: g0 gives the P to somebody. */
    if (is_taken(mp))
        return NULL;
    pp->fairat = pp->schedtick + rest;
    for (int i = 0; i < 3; i++) {
        switch (pp->turn++ % 3) {
        case 0:
            gp = globrunqget(pp, pp->node, 1);
            break;
        case 1:
            gp = oldest_unstarted(pp);
            break;
        default:
            gp = runq_get(&pp->runq);
            break;
        }
        if (gp != NULL)
            return gp;
    }
    gp = runq_get_next(&pp->runq);
    return gp != NULL ? gp : forkq_pop(&pp->forkq, parked);
}

/* Several came from elsewhere: an M that went to sleep meanwhile may have found them nowhere. */
static void call_for_rest(struct m *mp)
{
    if (runq_size(&mp->p->runq) + forkq_size(&mp->p->forkq) > 0)
        wakep(mp);
}

noinline struct quoit_g *pick_further(struct m *mp)
{
    struct quoit_g *gp;

    if (is_taken(mp))
        return NULL;
    gp = globrunqget(mp->p, mp->p->node, STEAL_MAX);
    if (gp != NULL) {
        call_for_rest(mp);
        return gp;
    }
    if (timers_look(mp, mp->p) > 0)
        return pick_local(mp, false);
    if (mp->poll_pending + load_relaxed(&mp->poll_inflight) == 0)
        return NULL;
    (void)poll(mp, false);
    return pick_local(mp, false);
}

void injectglist(struct m *mp, struct glist *list)
{
    struct p *pp = mp != NULL ? mp->p : NULL;
    struct quoit_g *gp = list->first;

    if (gp == NULL)
        return;
    for (int n = list->n; n > 0; n--) {
        struct quoit_g *next = gp->link;

        make_runnable(mp, gp);
        if (pp != NULL)
            runq_add(pp, gp);
        else
            globrunqput(&sched.nodes[gp->node], gp);
        gp = next;
    }
    wakep(mp);
}

/* ---- other P's ------------------------------------------------------------------------------ */

/* The first of n is returned, the others go into the own queue. */
static struct quoit_g *keep(struct p *pp, struct quoit_g **got, uint32_t n)
{
    for (uint32_t i = 1; i < n; i++)
        runq_add(pp, got[i]);
    return got[0];
}

/* A hint: the one that p2 runs next. */
static struct quoit_g *first_of(const struct p *p2)
{
    struct quoit_g *gp = load_relaxed(&p2->runq.next);
    uint64_t word = load_relaxed(&p2->forkq.word);

    if (gp == NULL && runq_size(&p2->runq) > 0)
        gp = load_relaxed(&p2->runq.slot[load_relaxed(&p2->runq.head) % RUNQ_SIZE]);
    if (gp == NULL && forkq_count(word) > 0)
        gp = load_relaxed(&p2->forkq.slot[forkq_head(word) % FORKQ_SIZE]);
    return gp;
}

static bool seen_still(const struct m *mp)
{
    return mp->seenp != NULL && first_of(mp->seenp) == mp->seen &&
           load_relaxed(&mp->seenp->schedtick) == mp->seentick;
}

/* What was readied last is about to run there, and so is a far P's only one. Only when the P has
 * not moved on for a while is it taken: two that talk to each other would be torn apart for
 * nothing. One P is watched at a time: several would push each other out, look by look, and be
 * left alone for ever. */
static bool is_stuck(struct m *mp, const struct p *p2, int64_t ns)
{
    if (seen_still(mp))
        return mp->seenp == p2 && nanotime() - mp->seentime >= ns;
    mp->seen = first_of(p2);
    mp->seenp = mp->seen != NULL ? p2 : NULL;
    if (mp->seen == NULL)
        return false;
    mp->seentick = load_relaxed(&p2->schedtick);
    mp->seentime = nanotime();
    return false;
}

static uint32_t grab_stuck(const struct m *mp, struct p *p2, struct quoit_g **got)
{
    uint32_t n;

    if (runq_grab_next(&p2->runq, mp->seen)) {
        got[0] = mp->seen;
        return 1;
    }
    n = runq_grab(&p2->runq, got, 1);
    return n > 0 ? n : forkq_grab(&p2->forkq, got, 1);
}

static struct quoit_g *steal_from(struct m *mp, struct p *p2, bool far)
{
    struct quoit_g *got[STEAL_MAX];
    uint32_t least = far ? 1 : 0, n = 0;

    if (runq_size(&p2->runq) > least)
        n = runq_grab(&p2->runq, got, STEAL_MAX);
    if (n == 0 && forkq_size(&p2->forkq) > least)
        n = forkq_grab(&p2->forkq, got, STEAL_MAX);
    if (n == 0 && is_stuck(mp, p2, far ? STEAL_FAR_NS : STEAL_NEXT_NS))
        n = grab_stuck(mp, p2, got);
    if (n == 0)
        return NULL;
    if (far)
        count_add(&mp->p->count.steals_far, n);
    else
        count_add(&mp->p->count.steals, n);
    return keep(mp->p, got, n);
}

static uint32_t rand_next(struct m *mp)
{
    mp->rand ^= mp->rand << 13;
    mp->rand ^= mp->rand >> 17;
    mp->rand ^= mp->rand << 5;
    return mp->rand;
}

/* Ring by ring, from a random place within each. A far victim must have two: its only one is
 * about to run there. */
static struct quoit_g *steal(struct m *mp)
{
    struct p *pp = mp->p;
    uint32_t n = sched.nprocs - 1;

    for (uint32_t from = 0, to; from < n; from = to) {
        uint32_t size, start;

        for (to = from + 1; to < n && pp->ring[to] == pp->ring[from]; to++)
            ;
        size = to - from;
        start = size > 1 ? rand_next(mp) % size : 0;
        for (uint32_t i = 0; i < size; i++) {
            struct p *p2 = sched.allp[pp->near[from + (start + i) % size]];
            struct quoit_g *gp = steal_from(mp, p2, pp->ring[from] >= RING_FAR);

            if (gp == NULL && timers_look(mp, p2) > 0)
                gp = pick_local(mp, false);
            if (gp != NULL)
                return gp;
        }
    }
    for (uint32_t i = 1; i < sched.nnodes; i++) {
        struct quoit_g *gp = globrunqget(pp, &sched.nodes[pp->node->near[i]], STEAL_MAX);

        if (gp != NULL)
            return gp;
    }
    return NULL;
}

/* False: nothing had completed for m2. */
static bool reap_from(struct m *mp, struct m *m2)
{
    struct glist list = { NULL, NULL, 0 };

    if (m2 == NULL || load_relaxed(&m2->poll_inflight) == 0)
        return false;
    netpoll_reap_other(mp, m2, &list);
    injectglist(mp, &list);
    return list.first != NULL;
}

/* What completed for an M that computes, or has lost its P, comes to whoever has nothing to do. */
static struct quoit_g *reap_others(struct m *mp)
{
    bool some = false;

    for (uint32_t i = 0; i + 1 < sched.nprocs && !some; i++)
        /* It may have left that P since; M's are not freed while others run. */
        /* order HOLDER in: the M is whole; out: acquirep */
        some = reap_from(mp, load_acquire(&sched.allp[mp->p->near[i]]->m));
    if (!some && load_relaxed(&sched.nlost) > 0)
        some = reap_all(mp);
    return some ? pick_local(mp, false) : NULL;
}

bool reap_all(struct m *mp)
{
    bool some = false;

    for (struct m *m2 = allm_first(); m2 != NULL; m2 = m2->alllink)
        if (m2 != mp)
            some |= reap_from(mp, m2);
    return some;
}

/* ---- nothing to do -------------------------------------------------------------------------- */

static bool others_run(void)
{
    return sched.nprocs - npidle() > 1;
}

static bool halted(void)
{
    return load_relaxed(&sched.stopping) || load_relaxed(&sched.gcwaiting);
}

/* Looks for a while: work comes often soon after. Completions of others' I/O are taken along. */
static struct quoit_g *spin(struct m *mp)
{
    int64_t until = nanotime() + SPIN_NS;
    uint32_t pause = 4;

    if (!mp->spinning) {
        mp->spinning = true;
        add_relaxed(&sched.nmspinning, 1);
    }
    do {
        struct quoit_g *gp = steal(mp);

        if (gp == NULL)
            gp = reap_others(mp);
        if (gp == NULL)
            gp = pick(mp, false);
        if (gp != NULL)
            return gp;
        if (!others_run())
            break;
        /* Each look takes lines away from a P that works: look less and less often. */
        for (uint32_t i = 0; i < pause; i++)
            cpu_relax();
        if (pause < 64)
            pause *= 2;
    } while (nanotime() < until && !halted());
    return NULL;
}

/* Found work: if nobody else looks, somebody should, for there may be more. */
static void spinning_ends(struct m *mp)
{
    mp->spinning = false;
    mp->seenp = NULL;
    /* order SPIN-DOWN full: this M no longer looks; in: wakep_slow */
    if (add_full(&sched.nmspinning, -1u) == 1)
        wakep(mp);
}

static bool work_shared(void)
{
    for (uint32_t i = 0; i < sched.nnodes; i++)
        if (!globrunq_empty(&sched.nodes[i]))
            return true;
    return false;
}

bool p_has_work(const struct p *pp)
{
    return !runq_empty(&pp->runq) || forkq_size(&pp->forkq) > 0 || timers_due(pp);
}

bool work_waits(const struct p *pp)
{
    return p_has_work(pp) || work_shared();
}

/* The rule of two does not count here. hint: who changes nprocs looks again at the world's start */
bool work_anywhere(void)
{
    for (uint32_t i = 0; i < nprocs(); i++)
        if (p_has_work(sched.allp[i]))
            return true;
    return work_shared();
}

/* Gives the P up and looks again; true: the M holds a P, go on searching; false: it is on the idle
 * list. There at once, so that who calls for help between the two takes this M and no other. */
static bool second_look(struct m *mp)
{
    bool was_spinning = mp->spinning;
    struct p *pp;

    mp->spinning = false;
    lock(&sched.lock);
    pp = releasep(mp);
    pidleput_locked(pp);
    midleput_locked(mp);
    unlock(&sched.lock);
    if (was_spinning)
        /* order SPIN-DOWN full: the P shows as idle before this M stops looking; in: wakep_slow */
        add_full(&sched.nmspinning, -1u);
    /* order SPIN-DOWN full: idle and not spinning is out before the last look; in: wakep */
    fence_heavy();
    if (!work_anywhere())
        return false;
    lock(&sched.lock);
    /* No longer idle: it has been given a P, and is being woken. */
    pp = mp->idle ? pidleget_locked(pp) : NULL;
    if (pp != NULL)
        midledrop_locked(mp);
    unlock(&sched.lock);
    if (pp == NULL)
        return false; /* whoever took it looks too */
    acquirep(mp, pp);
    mp->spinning = true;
    add_relaxed(&sched.nmspinning, 1);
    return true;
}

static struct quoit_g *look(struct m *mp)
{
    struct quoit_g *gp = pick(mp, false);

    if (gp == NULL && (gp = steal(mp)) != NULL)
        call_for_rest(mp);
    /* At most half of the busy P's worth of M's look around. */
    if (gp == NULL && others_run() &&
        (mp->spinning || 2 * load_relaxed(&sched.nmspinning) < sched.nprocs - npidle()))
        gp = spin(mp);
    return gp;
}

/* NULL: the M is to leave. */
static struct quoit_g *findrunnable(struct m *mp)
{
    while (!load_relaxed(&sched.stopping)) {
        struct quoit_g *gp;

        if (mp->lockedg != NULL || mp->forother != NULL) {
            gp = locked_turn(mp);
            if (gp != NULL)
                return gp;
        } else if (mp->leaving) {
            last_turn(mp);
            break;
        } else if (mp->p == NULL) {
            stopm(mp);
        } else if (load_relaxed(&sched.gcwaiting)) {
            come_to_rest(mp);
        } else {
            gp = look(mp);
            if (gp != NULL)
                return gp;
            if (!halted() && !second_look(mp))
                m_sleep(mp);
        }
    }
    return NULL;
}

static void starves(struct m *mp, int class)
{
    lock(&sched.lock);
    mp->starves = (uint8_t)(class + 1);
    /* hint: sysmon looks whether there is any */
    store_relaxed(&sched.starving, sched.starving + (class >= 0 ? 1 : -1u));
    unlock(&sched.lock);
}

/* No stack of that class, and who wants it is in the shared queue again. Something that runs may
 * free one; whether nothing will is found out by sysmon (checkdead.c). */
static cold void wait_for_stack(struct m *mp, int class)
{
    struct note never = { 0 };

    starves(mp, class);
    note_sleep(&never, nanotime() + NOSTACK_NS);
    starves(mp, -1);
}

void schedule(struct m *mp)
{
    struct quoit_g *gp;

    while ((gp = findrunnable(mp)) != NULL) {
        if (mp->spinning)
            spinning_ends(mp);
        if (!switch_from_g0(mp, gp)) {
            int class = gp->class;

            not_here(mp, gp);
            if (mp->forother == NULL)
                wait_for_stack(mp, class);
        }
    }
    /* Nobody is called in its place: each would call the next, down to the last idle P. */
    if (mp->spinning)
        add_relaxed(&sched.nmspinning, -1u);
}
