/* SPDX-License-Identifier: BSD-3-Clause
 * sleep.c - waits that end at a deadline: sleep, join and park with one
 *
 * That of the semaphore stands with its word. A plain thread sleeps in the kernel.
 *
 * Nothing here fails for lack of memory: a goroutine that gets no room in the heap of timers
 * yields until its time has come. Turned down: -ENOMEM, which every caller of a lock with a
 * deadline would have to think of, at a moment when its own lock is held.
 */
#include "gfree.h"
#include "init.h"
#include "join.h"
#include "proc.h"
#include "switch.h"
#include "timer.h"

#include <errno.h>

/* ---- the wait ------------------------------------------------------------------------------- */

/* Under the lock of the heap, so the frame is there. */
static struct quoit_g *timed_fire(struct timer *timer)
{
    struct timed *t = container_of(timer, struct timed, timer);
    uint32_t seen = load_relaxed(&t->word);
    struct quoit_g *gp = t->g;

    while (seen != TIMED_WOKEN) {
        /* order TIMED full: it has left its stack, and all was read that the frame holds; in:
         * timed_unlock, timed_out */
        if (cas_acq_rel(&t->word, &seen, TIMED_DUE))
            return seen == TIMED_ASLEEP ? gp : NULL;
    }
    return NULL;
}

void timed_wake(struct m *mp, struct timed *t)
{
    struct quoit_g *gp = t->g;

    if (mp == NULL && !foreign_enter())
        return;
    /* order TIMED full: it has left its stack, and what it is to see comes first; in: timed_unlock,
     * timed_settle, timed_out */
    if (xchg_acq_rel(&t->word, TIMED_WOKEN) == TIMED_ASLEEP)
        ready(mp, gp);
    if (mp == NULL)
        foreign_leave();
}

/* From `seen` to ASLEEP; 0: it was told meanwhile. Nobody makes it ready before, so until then the
 * frame is there. */
static int fall_asleep(struct timed *t, uint32_t seen)
{
    /* order TIMED full: the frame was read before it can be woken, and what was done by who told
     * it is seen; in: timed_fire, timed_wake */
    return cas_acq_rel(&t->word, &seen, TIMED_ASLEEP);
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
    return fall_asleep(t, TIMED_BEFORE);
}

static int settle_unlock(void *arg)
{
    return fall_asleep(arg, TIMED_DUE);
}

static uint32_t word_of(const struct timed *t)
{
    /* order TIMED in: what was done before it was told is seen; out: timed_wake */
    return load_acquire(&t->word);
}

/* No memory for the timer. It stays awake, so whoever tells it has nobody to make ready. */
static cold struct m *wait_awake(struct m *mp, struct timed *t, int64_t deadline)
{
    uint32_t seen = TIMED_BEFORE;

    if (t->unlock != NULL && t->unlock(t->arg) == 0) {
        store_relaxed(&t->word, TIMED_WOKEN);
        return mp;
    }
    while (word_of(t) == TIMED_BEFORE && nanotime() < deadline) {
        leave(mp);
        quoit_yield();
        mp = enter_g("quoit_sleep");
    }
    /* order TIMED in: as in timed_out; out: timed_wake */
    (void)cas_acquire(&t->word, &seen, TIMED_DUE);
    return mp;
}

struct m *timed_wait(struct m *mp, struct timed *t, int64_t deadline, int (*unlock)(void *),
                     void *arg, const char *reason)
{
    t->g = mp->curg;
    t->unlock = unlock;
    t->arg = arg;
    t->timer.fire = timed_fire;
    store_relaxed(&t->word, TIMED_BEFORE);
    if (deadline == INT64_MAX)
        return park(mp, timed_unlock, t, reason);
    if (unlikely(timer_add(mp, &t->timer, deadline > 0 ? deadline : 1) < 0))
        return wait_awake(mp, t, deadline);
    mp = park(mp, timed_unlock, t, reason);
    if (!timed_out(t))
        timer_del(&t->timer);
    return mp;
}

struct m *timed_settle(struct m *mp, struct timed *t, const char *reason)
{
    if (word_of(t) == TIMED_WOKEN)
        return mp;
    return park(mp, settle_unlock, t, reason);
}

/* ---- sleep ---------------------------------------------------------------------------------- */

static int64_t deadline_in(int64_t ns)
{
    int64_t now = nanotime();

    return ns < INT64_MAX - now ? now + ns : INT64_MAX;
}

int quoit_sleep(int64_t ns)
{
    struct m *mp;
    struct timed t;

    if (ns <= 0) {
        quoit_yield();
        return 0;
    }
    mp = enter();
    if (mp == NULL) {
        os_sleep_until(deadline_in(ns));
        return 0;
    }
    leave(timed_wait(mp, &t, deadline_in(ns), NULL, NULL, "sleep"));
    return 0;
}

/* ---- join ----------------------------------------------------------------------------------- */

struct timed_join {
    struct quoit_g *child;
    struct timed t;
};

static struct quoit_g *tagged(struct timed *t)
{
    return (struct quoit_g *)((uintptr_t)t + JOIN_TIMED);
}

void join_wake_timed(struct m *mp, struct quoit_g *joiner)
{
    timed_wake(mp, (struct timed *)((uintptr_t)joiner - JOIN_TIMED));
}

static int join_publish_timed(void *arg)
{
    struct timed_join *j = arg;
    struct quoit_g *seen = JOIN_NONE;

    /* order JOIN out: all of the frame that the child touches is there; in: g_ended */
    return cas_acq_rel(&j->child->join, &seen, tagged(&j->t));
}

static bool join_withdraw(struct timed_join *j)
{
    struct quoit_g *seen = tagged(&j->t);

    return cas_relaxed(&j->child->join, &seen, JOIN_NONE);
}

static int join_until(struct m **mp, struct quoit_g *child, int *result, int64_t deadline)
{
    struct timed_join j = { .child = child };

    /* order JOIN in: the result is there; out: g_ended */
    if (load_acquire(&child->join) != JOIN_DONE) {
        if (deadline <= nanotime())
            return -ETIMEDOUT;
        *mp = timed_wait(*mp, &j.t, deadline, join_publish_timed, &j, "join");
        if (timed_out(&j.t)) {
            if (join_withdraw(&j))
                return -ETIMEDOUT;
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
        mp = join(mp, g, &r);
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

    gp->timed = t;
    /* hint: who readies it has found it under the lock that `unlock` lets go */
    store_relaxed(&gp->flags, gp->flags | G_TIMED);
    return timed_wait(mp, t, deadline, unlock, arg, reason);
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
            e = -ETIMEDOUT;
        else
            mp = timed_settle(mp, &t, reason);
    }
    /* hint: a joiner reads the other flags meanwhile */
    store_relaxed(&mp->curg->flags, mp->curg->flags & (uint8_t)~G_TIMED);
    leave(mp);
    return e;
}
