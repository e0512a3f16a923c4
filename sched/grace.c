/* SPDX-License-Identifier: BSD-3-Clause
 * grace.c - grace periods: until every goroutine has been at a safe point
 *
 * quoit_synchronize waits until every M has shown that what ran there at the call is over. No
 * record is looked at but those that M's run:
 *
 *     the caller                              an M
 *     1. has unlinked something               1. shows what it runs: curg, status Grunning
 *     2. calls every M to the door            2. light fence (SYNC)
 *     3. heavy fence                          3. the goroutine reads what is linked
 *     4. notes what each M runs               4. it comes to the door, or the M shows another one,
 *     5. waits for 4 on the right                none, or a marked call
 *     6. may free
 *
 * Whom 4 on the left does not see began after the fence, and finds nothing that was unlinked
 * before. The right side pays nothing: its fence is the compiler's where there is membarrier, and
 * elsewhere it is the one that every switch has there (set_running_slow). A P that is taken from
 * an M changes nothing in this: the goroutine runs on, and the M shows it.
 *
 * Turned down: to look whether the P's have switched (schedtick). A P may be another M's by then.
 */
#include "quiesce.h"

#include "gstatus.h"
#include "init.h"
#include "m.h"
#include "proc.h"
#include "rungs.h"
#include "syscall.h"

static struct grace {
    quoit_sema turn;
    struct lock lock;
    uint64_t begun, over; /* under the lock */
} grace;

int grace_init(void)
{
    grace = (struct grace){ .begun = 0 };
    quoit_sema_init(&grace.turn, 1);
    return 0;
}

uint64_t graces(void)
{
    return load_relaxed(&grace.over);
}

/* ---- who is waited for ---------------------------------------------------------------------- */

/* NULL: nothing that could have begun before the fence. */
static const struct quoit_g *runs(const struct m *mp)
{
    /* order SYNC in: what ran there before is over; out: set_current, set_nobody */
    const struct quoit_g *gp = load_acquire(&mp->curg);

    /* order G-OFF in: what it did before its marked call is over; out: gstatus_set */
    return gp != NULL && load_acquire(&gp->status) == Grunning ? gp : NULL;
}

static bool has_passed(struct m *mp)
{
    bool came_in;

    if (mp->awaited == NULL)
        return true;
    lock(&mp->lock);
    came_in = !(mp->want & WANT_PASS);
    unlock(&mp->lock);
    return came_in || runs(mp) != mp->awaited;
}

/* The M's to be waited for are this one and those behind it. One that is made later begins with
 * what it takes under sched.lock, after us. */
static struct m *call_all(const struct m *self)
{
    struct m *first;

    lock(&sched.lock);
    first = allm_first();
    unlock(&sched.lock);
    for (struct m *mp = first; mp != NULL; mp = mp->alllink)
        m_call(mp, WANT_PASS);
    /* order SYNC full: what was unlinked is so before we look who runs; in: set_current,
     * set_running_slow */
    fence_heavy();
    for (struct m *mp = first; mp != NULL; mp = mp->alllink)
        mp->awaited = mp != self ? runs(mp) : NULL;
    return first;
}

/* ---- waiting -------------------------------------------------------------------------------- */

/* The first that has not passed. */
static struct m *look(struct m *at)
{
    struct m *mp = enter();

    while (at != NULL && has_passed(at))
        at = at->alllink;
    if (mp != NULL)
        leave(mp);
    return at;
}

static void wait_for_all(void)
{
    int64_t pause = PAUSE_NS;
    struct m *mp = enter(), *at = call_all(mp);

    if (mp != NULL)
        leave(mp);
    while ((at = look(at)) != NULL && !load_relaxed(&sched.stopping)) {
        quoit_sleep(pause);
        pause = longer(pause);
        if (pause == PAUSE_MOST_NS)
            rungs_hurry(at, nanotime());
    }
}

/* Who has the turn gives it back. */
static void ends(bool waited)
{
    if (waited) {
        lock(&grace.lock);
        /* hint: read without the lock by graces */
        store_relaxed(&grace.over, grace.begun);
        unlock(&grace.lock);
    }
    quoit_sema_post(&grace.turn);
}

bool grace_try_begin(struct m **at)
{
    if (quoit_sema_trywait(&grace.turn) != 0)
        return false;
    lock(&grace.lock);
    grace.begun++;
    unlock(&grace.lock);
    *at = call_all(NULL);
    return true;
}

bool grace_is_over(struct m **at)
{
    *at = look(*at);
    if (*at != NULL)
        return false;
    ends(true);
    return true;
}

/* One that begins from now on, by whoever: who waits for a turn meanwhile need not begin
 * another. */
static void synchronize(void)
{
    uint64_t needed;

    lock(&grace.lock);
    needed = grace.begun + 1;
    unlock(&grace.lock);
    if (!take_turn(&grace.turn))
        return;
    lock(&grace.lock);
    if (grace.over >= needed)
        needed = 0;
    else
        grace.begun++;
    unlock(&grace.lock);
    if (needed != 0)
        wait_for_all();
    ends(needed != 0);
}

void quoit_synchronize(void)
{
    struct m *mp = enter();

    if (mp == NULL) {
        if (!foreign_enter())
            return;
        synchronize();
        foreign_leave();
        return;
    }
    if (unlikely(mp->locks != 0))
        pinned(__func__);
    leave(mp);
    synchronize();
}
