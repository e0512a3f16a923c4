/* SPDX-License-Identifier: BSD-3-Clause
 * hold.c - goroutines that do not come in stand still in a signal handler while the world is
 * stopped
 *
 * For QUOIT_STOP_HOLD. Whoever has not come in after a while, and is not in a marked call, is sent
 * signals, whatever code it runs:
 *
 *     who stops the world (world.c)       the M's thread, outside: handler of SIGURG
 *     1. turn becomes odd                 1. turn is odd: may it be held?
 *     2. sends signals                    2. still = turn (HOLD)
 *     3. still == turn: takes its P, it   3. sleeps while turn is the same (HOLD-END)
 *        counts as stopped                4. goes on, a goroutine that has lost its P
 *     4. its phase
 *     5. turn becomes even, wakes all
 *
 * No turn comes again: who is about to go on from one is not taken for held in the next.
 *
 * Not held is who is pinned, or stands in the library's own code, where it may have a lock that the
 * stop needs: some functions work outside. That is read off the calls that led to where it is. What
 * locks of others it holds nobody knows.
 */
#include "hold.h"

#include "signal_arch.h"

#include "os_linux.h"
#include "stack.h"
#include "stackscan.h"
#include "traceback.h"

#include <limits.h>

static struct {
    uint32_t turn; /* a  HOLD-END; odd: who can be is held */
} hold;

/* ---- who stops the world -------------------------------------------------------------------- */

void hold_begin_locked(void)
{
    /* hint: the signals that follow bring it, and are sent until it is seen */
    store_relaxed(&hold.turn, load_relaxed(&hold.turn) | 1);
}

void hold_end_locked(void)
{
    uint32_t turn = load_relaxed(&hold.turn);

    if (!(turn & 1))
        return;
    /* order HOLD-END out: all that was done meanwhile is seen by who goes on; in: stand_still */
    store_release(&hold.turn, turn + 1);
    futex_wake(&hold.turn, INT_MAX);
}

bool hold_has(const struct m *mp)
{
    uint32_t turn = load_relaxed(&hold.turn);

    /* order HOLD in: what it did before is seen; out: stand_still */
    return (turn & 1) && load_acquire(&mp->still) == turn;
}

/* ---- in the handler ------------------------------------------------------------------------- */

static void stand_still(struct m *mp, uint32_t turn)
{
    /* order HOLD out: all that was done here comes first; in: hold_has */
    store_release(&mp->still, turn);
    /* order HOLD-END in: what was done meanwhile is seen; out: hold_end_locked */
    while (load_acquire(&hold.turn) == turn)
        futex_wait(&hold.turn, turn, INT64_MAX);
}

/* A trace ends with the library's own code, below which a goroutine is called. */
static bool in_own_code(uintptr_t pc)
{
    struct trace t;

    trace_running(&t, (const void *)pc);
    if (t.end != TRACE_ENTRY || t.n == 0)
        return true;
    while (t.n > 1 && is_own_code(t.pc[t.n - 1]))
        t.n--;
    for (uint32_t i = 0; i < t.n; i++)
        if (is_own_code(t.pc[i]))
            return true;
    return false;
}

static bool may_be_held(const struct m *mp, uintptr_t pc)
{
    const struct quoit_g *gp = mp->curg;

    return load_relaxed(&gp->status) == Grunning && mp->locks == 0 && gp->stk->nopreempt == 0 &&
           !in_own_code(pc);
}

bool hold_here(struct m *mp, void *context)
{
    /* hint: it is looked at again before anything is done about it */
    uint32_t turn = load_relaxed(&hold.turn);

    if (!(turn & 1) || !may_be_held(mp, signal_pc(context)))
        return false;
    stand_still(mp, turn);
    return true;
}
