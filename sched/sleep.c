/* SPDX-License-Identifier: BSD-3-Clause
 * sleep.c - waits that end at a deadline or when cancelled: sleep, join and park
 *
 * That of the semaphore stands with its word. A plain thread sleeps in the kernel.
 *
 * Nothing here fails for lack of memory: a goroutine that gets no room in the heap of timers
 * yields until its time has come. Turned down: -ENOMEM, which every caller of a lock with a
 * deadline would have to think of, at a moment when its own lock is held.
 */
#include "limit.h"
#include "gfree.h"
#include "init.h"
#include "join.h"
#include "proc.h"
#include "switch.h"
#include "timer.h"

#include <errno.h>

/* ---- the wait ------------------------------------------------------------------------------- */

/* The frame is there: under the lock of the heap, or the goroutine is held. True: it is to be made
 * ready. */
static bool timed_end(struct timed *t, uint32_t how)
{
    uint32_t seen = load_relaxed(&t->word);

    while (seen == TIMED_BEFORE || seen == TIMED_ASLEEP) {
        /* order TIMED full: it has left its stack, and all was read that the frame holds; in:
         * fall_asleep, timed_out */
        if (cas_acq_rel(&t->word, &seen, how))
            return seen != TIMED_BEFORE;
    }
    return false;
}

static struct quoit_g *timed_fire(struct timer *timer)
{
    struct timed *t = container_of(timer, struct timed, timer);
    struct quoit_g *gp = t->g;

    return timed_end(t, TIMED_DUE) ? gp : NULL;
}

bool timed_cancel(struct timed *t)
{
    return timed_end(t, TIMED_CANCELLED);
}

void timed_wake(struct m *mp, struct timed *t)
{
    struct quoit_g *gp = t->g;
    uint32_t seen;

    if (mp == NULL && !foreign_enter())
        return;
    /* order TIMED full: it has left its stack, and what it is to see comes first; in: fall_asleep,
     * timed_out */
    seen = xchg_acq_rel(&t->word, TIMED_WOKEN);
    if (seen == TIMED_ASLEEP || seen == TIMED_SETTLES)
        ready(mp, gp);
    if (mp == NULL)
        foreign_leave();
}

/* 0: it was told meanwhile. Nobody makes it ready before, so until then the frame is there. */
static int fall_asleep(struct timed *t, uint32_t seen, uint32_t how)
{
    /* order TIMED full: the frame was read before it can be woken, and what was done by who told
     * it is seen; in: timed_end, timed_wake */
    return cas_acq_rel(&t->word, &seen, how);
}

/* Who waits so cannot be found asleep; whoever tells it has nobody to make ready. */
static void give_up(struct timed *t, uint32_t how)
{
    uint32_t seen = TIMED_BEFORE;

    /* order TIMED in: as in timed_out; out: timed_wake */
    (void)cas_acquire(&t->word, &seen, how);
}

/* Once the stack is left. */
static int timed_unlock(void *arg)
{
    struct timed *t = arg;

    if (t->unlock != NULL && t->unlock(t->arg) == 0) {
        /* Nobody will wake it. */
        store_relaxed(&t->word, TIMED_WOKEN);
        return 0;
    }
    if (limit_given_up(t->g)) {
        give_up(t, TIMED_CANCELLED);
        return 0;
    }
    return fall_asleep(t, TIMED_BEFORE, TIMED_ASLEEP);
}

static uint32_t word_of(const struct timed *t)
{
    /* order TIMED in: what was done before it was told is seen; out: timed_wake */
    return load_acquire(&t->word);
}

static int settle_unlock(void *arg)
{
    struct timed *t = arg;
    uint32_t seen = word_of(t);

    return seen != TIMED_WOKEN && fall_asleep(t, seen, TIMED_SETTLES);
}

/* No memory for the timer. It stays awake, so whoever tells it has nobody to make ready. */
static cold struct m *wait_awake(struct m *mp, struct timed *t, int64_t deadline)
{
    if (t->unlock != NULL && t->unlock(t->arg) == 0) {
        store_relaxed(&t->word, TIMED_WOKEN);
        return mp;
    }
    while (word_of(t) == TIMED_BEFORE && nanotime() < deadline && !limit_given_up(t->g)) {
        leave(mp);
        quoit_yield();
        mp = enter_g("quoit_sleep");
    }
    give_up(t, limit_given_up(t->g) ? TIMED_CANCELLED : TIMED_DUE);
    return mp;
}

static struct m *wait_for_it(struct m *mp, struct timed *t, int64_t deadline, const char *reason)
{
    if (deadline == INT64_MAX)
        return park(mp, timed_unlock, t, reason);
    if (unlikely(timer_add(mp, &t->timer, deadline > 0 ? deadline : 1) < 0))
        return wait_awake(mp, t, deadline);
    mp = park(mp, timed_unlock, t, reason);
    if (word_of(t) != TIMED_DUE)
        (void)timer_del(&t->timer);
    return mp;
}

void timed_begin(struct timed *t, struct quoit_g *gp)
{
    t->g = gp;
    t->timer.fire = timed_fire;
    store_relaxed(&t->word, TIMED_BEFORE);
}

static struct m *wait_begun(struct m *mp, struct timed *t, int64_t deadline,
                            int (*unlock)(void *), void *arg, const char *reason)
{
    t->unlock = unlock;
    t->arg = arg;
    return wait_for_it(mp, t, deadline, reason);
}

struct m *timed_wait(struct m *mp, struct timed *t, int64_t deadline, int (*unlock)(void *),
                     void *arg, const char *reason)
{
    timed_begin(t, mp->curg);
    return wait_begun(mp, t, deadline, unlock, arg, reason);
}

struct m *timed_wait_limited(struct m *mp, struct timed *t, int64_t deadline, int (*unlock)(void *),
                             void *arg, const char *reason)
{
    timed_begin(t, mp->curg);
    return timed_wait_begun(mp, t, deadline, unlock, arg, reason);
}

struct m *timed_wait_begun(struct m *mp, struct timed *t, int64_t deadline, int (*unlock)(void *),
                           void *arg, const char *reason)
{
    struct quoit_g *gp = mp->curg;
    int64_t limit = limit_deadline(gp);

    store_relaxed(&gp->waits, (uintptr_t)t);
    mp = wait_begun(mp, t, limit < deadline ? limit : deadline, unlock, arg, reason);
    /* Else quoit_ready still wants to know. */
    if (!(gp->flags & G_TIMED))
        store_relaxed(&gp->waits, 0);
    return mp;
}

int timed_error(const struct timed *t)
{
    return word_of(t) == TIMED_CANCELLED ? limit_error(t->g) : -ETIMEDOUT;
}

struct m *timed_settle(struct m *mp, struct timed *t, const char *reason)
{
    if (word_of(t) == TIMED_WOKEN)
        return mp;
    return park(mp, settle_unlock, t, reason);
}

/* A wait of its own, that nothing but its deadline ends early. */
struct m *timed_settle_until(struct m *mp, struct timed *t, int64_t deadline, const char *reason)
{
    uint32_t seen = word_of(t);

    /* order TIMED in: as in timed_out; out: timed_wake */
    if (seen == TIMED_WOKEN || !cas_acquire(&t->word, &seen, TIMED_BEFORE))
        return mp;
    t->unlock = NULL;
    return wait_for_it(mp, t, deadline, reason);
}

/* ---- sleep ---------------------------------------------------------------------------------- */

int quoit_sleep(int64_t ns)
{
    int64_t until = deadline_in(ns);
    struct m *mp;
    struct timed t;
    int e = 0;

    if (ns <= 0) {
        quoit_yield();
        return 0;
    }
    mp = enter();
    if (mp == NULL) {
        os_sleep_until(until);
        return 0;
    }
    mp = timed_wait_limited(mp, &t, until, NULL, NULL, "sleep");
    if (word_of(&t) == TIMED_CANCELLED || limit_deadline(mp->curg) < until)
        e = timed_error(&t);
    leave(mp);
    return e;
}

/* ---- join ----------------------------------------------------------------------------------- */

struct timed_join {
    struct quoit_g *child;
    struct timed t;
};

void join_wake(struct m *mp, struct quoit_g *joiner)
{
    timed_wake(mp, (struct timed *)joiner);
}

static int join_publish(void *arg)
{
    struct timed_join *j = arg;
    struct quoit_g *seen = JOIN_NONE;

    /* order JOIN out: all of the frame that the child touches is there; in: g_ended */
    return cas_acq_rel(&j->child->join, &seen, (struct quoit_g *)&j->t);
}

static bool join_withdraw(struct timed_join *j)
{
    struct quoit_g *seen = (struct quoit_g *)&j->t;

    return cas_relaxed(&j->child->join, &seen, JOIN_NONE);
}

int join_until(struct m **mp, struct quoit_g *child, int *result, int64_t deadline)
{
    struct timed_join j = { .child = child };

    /* order JOIN in: the result is there; out: g_ended */
    if (load_acquire(&child->join) != JOIN_DONE) {
        if (deadline != INT64_MAX && deadline <= nanotime())
            return -ETIMEDOUT;
        *mp = timed_wait_limited(*mp, &j.t, deadline, join_publish, &j, "join");
        if (timed_out(&j.t)) {
            if (join_withdraw(&j))
                return timed_error(&j.t);
            *mp = timed_settle(*mp, &j.t, "join");
        }
    }
    *result = child->result;
    gfput((*mp)->p, child);
    return 0;
}

int quoit_join_until(struct quoit_g *g, int *result, int64_t deadline_ns)
{
    struct m *mp = enter_g(__func__);
    int e = 0, r;

    if (g == NULL || g == mp->curg)
        e = g == NULL ? -EINVAL : -EDEADLK;
    else if (deadline_ns == INT64_MAX)
        e = join(&mp, g, &r);
    else
        e = join_until(&mp, g, &r, deadline_ns);
    if (e == 0 && result != NULL)
        *result = r;
    leave(mp);
    return e;
}

/* ---- park ----------------------------------------------------------------------------------- */

static struct m *park_until(struct m *mp, struct timed *t, int (*unlock)(void *), void *arg,
                            const char *reason, int64_t deadline)
{
    struct quoit_g *gp = mp->curg;

    /* hint: who readies it has found it under the lock that `unlock` lets go */
    store_relaxed(&gp->flags, gp->flags | G_TIMED);
    return timed_wait_limited(mp, t, deadline, unlock, arg, reason);
}

/* User code, in between: it may go on in another thread. */
static bool withdrawn(struct m **mp, int (*withdraw)(void *), void *arg)
{
    int was_there;

    leave(*mp);
    was_there = withdraw(arg);
    *mp = enter_g("quoit_park_until");
    return was_there != 0;
}

int quoit_park_until(int (*unlock)(void *arg), int (*withdraw)(void *arg), void *arg,
                     const char *reason, int64_t deadline_ns)
{
    struct m *mp = enter_g(__func__);
    struct timed t;
    int e = 0;

    if (unlock == NULL || withdraw == NULL) {
        leave(mp);
        return -EINVAL;
    }
    if (reason == NULL)
        reason = "park";
    mp = park_until(mp, &t, unlock, arg, reason, deadline_ns);
    if (timed_out(&t)) {
        if (withdrawn(&mp, withdraw, arg))
            e = timed_error(&t);
        else
            mp = timed_settle(mp, &t, reason);
    }
    /* hint: a joiner reads the other flags meanwhile */
    store_relaxed(&mp->curg->flags, mp->curg->flags & (uint8_t)~G_TIMED);
    store_relaxed(&mp->curg->waits, 0);
    leave(mp);
    return e;
}
