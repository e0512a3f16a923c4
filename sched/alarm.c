/* SPDX-License-Identifier: BSD-3-Clause
 * alarm.c - calls at a time: once, or again and again
 *
 * An armed timer has the record of a goroutine that is not born yet, filled in and ready to go.
 * When the deadline comes whoever fires takes it out of the heap and queues it like those whose
 * sleep is over, in the same batch: no memory is needed then, and no stack before it runs. So a
 * call is a goroutine like any other, and one that is armed costs a record.
 *
 *     idle    nothing to come             -> armed by quoit_timer_start
 *     armed   in a heap, has `g`          -> idle by quoit_timer_stop and start
 *                                         -> called by the deadline
 *     called  the record is the call's,   -> armed by alarm_called, where there is a period and
 *             for the timer this is idle     nobody has armed or stopped it meanwhile
 *
 * Who takes it out of the heap, under the lock of the heap, decides between stop and deadline:
 * there is no state beside. t->lock is for start, stop and the end of a call among each other;
 * who fires does not take it.
 *
 * A timer is counted by its user, its place in a heap and each call under way; a place that becomes
 * a call hands its count on. The last one frees.
 */
#include "gfree.h"
#include "lock.h"
#include "newproc.h"
#include "proc.h"
#include "timer.h"

#include <errno.h>
#include <stdlib.h>

struct quoit_timer {
    struct timer timer;
    struct quoit_g *g; /*    under the lock of the heap while it is in there, else under `lock` */
    struct lock lock;  /*    of what follows */
    uint32_t users;
    int64_t when;      /*    the last deadline */
    int64_t period;    /*    0: once */
    const void *site;  /*    where it was started */
    quoit_fn fn;       /* c */
    void *arg;         /* c */
};

/* How often who finds no memory for the next call looks again. */
static const int64_t retry_ns = 1000000;

/* Under the lock of the heap. */
static struct quoit_g *alarm_fire(struct timer *timer)
{
    struct quoit_timer *t = container_of(timer, struct quoit_timer, timer);
    struct quoit_g *gp = t->g;

    t->g = NULL;
    return gp;
}

/* True: a call was to come, and does not. The record is kept. */
static bool disarm_locked(struct quoit_timer *t)
{
    if (t->timer.in == NULL || !timer_del(&t->timer))
        return false;
    t->users--;
    return true;
}

static int alarm_call(void *arg);

static int arm_locked(struct m *mp, struct quoit_timer *t, int64_t when)
{
    int e;

    if (t->g == NULL)
        t->g = newproc_unborn(mp, alarm_call, t, t->site);
    if (t->g == NULL)
        return -ENOMEM;
    t->when = when > 0 ? when : 1;
    t->users++;
    e = timer_add(mp, &t->timer, t->when);
    if (e < 0)
        t->users--;
    return e;
}

/* One user less; lets go of the lock. */
static void unlock_and_put(struct m *mp, struct quoit_timer *t)
{
    bool last = --t->users == 0;
    struct quoit_g *gp = last ? t->g : NULL;

    unlock(&t->lock);
    if (gp != NULL)
        gfput(mp->p, gp);
    if (last)
        free(t);
}

/* ---- the goroutine -------------------------------------------------------------------------- */

/* The next one of the row that is still to come: those that were missed are left out. */
static int64_t next_tick(const struct quoit_timer *t, int64_t now)
{
    int64_t late = now - t->when;

    return t->when + (late >= 0 ? late / t->period + 1 : 1) * t->period;
}

/* The call is over; again, if it is one of a row. -ENOMEM: nothing has changed. */
static int alarm_called(struct m *mp, struct quoit_timer *t, bool again)
{
    int e = 0;

    lock(&t->lock);
    if (!again)
        t->period = 0;
    /* Armed anew meanwhile it goes on by itself. */
    if (t->period > 0 && !timer_waits(&t->timer))
        e = arm_locked(mp, t, next_tick(t, nanotime()));
    if (e < 0)
        unlock(&t->lock);
    else
        unlock_and_put(mp, t);
    return e;
}

static int alarm_call(void *arg)
{
    struct quoit_timer *t = arg;
    bool again = t->fn(t->arg) == 0;
    struct m *mp = enter_g("quoit_timer_start");

    while (unlikely(alarm_called(mp, t, again) < 0)) {
        leave(mp);
        /* One that the callback has set may be over, and then sleeps are too. */
        quoit_set_deadline(INT64_MAX);
        quoit_sleep(retry_ns);
        mp = enter_g("quoit_timer_start");
    }
    leave(mp);
    return 0;
}

/* ---- for users ------------------------------------------------------------------------------ */

struct quoit_timer *quoit_timer_new(quoit_fn fn, void *arg)
{
    struct quoit_timer *t = calloc(1, sizeof *t);

    if (t != NULL) {
        t->fn = fn;
        t->arg = arg;
        t->users = 1;
        t->timer.fire = alarm_fire;
    }
    return t;
}

int quoit_timer_start(struct quoit_timer *t, int64_t ns, int64_t period_ns)
{
    struct m *mp = enter_g(__func__);
    int was = 0, e = -EINVAL;

    if (t != NULL && t->fn != NULL && period_ns >= 0) {
        lock(&t->lock);
        was = disarm_locked(t);
        t->period = period_ns;
        t->site = CALLER;
        e = arm_locked(mp, t, deadline_in(ns));
        unlock(&t->lock);
    }
    leave(mp);
    return e < 0 ? e : was;
}

int quoit_timer_stop(struct quoit_timer *t)
{
    struct m *mp = enter_g(__func__);
    int was = -EINVAL;

    if (t != NULL) {
        lock(&t->lock);
        t->period = 0;
        was = disarm_locked(t);
        unlock(&t->lock);
    }
    leave(mp);
    return was;
}

void quoit_timer_free(struct quoit_timer *t)
{
    struct m *mp = enter_g(__func__);

    if (t != NULL) {
        lock(&t->lock);
        t->period = 0;
        (void)disarm_locked(t);
        unlock_and_put(mp, t);
    }
    leave(mp);
}
