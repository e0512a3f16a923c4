/* SPDX-License-Identifier: BSD-3-Clause
 * pin.c - a goroutine keeps its P for a moment
 *
 * For data of which each P has its own: between quoit_pin and quoit_unpin nothing else runs on
 * this P, so what belongs to the P's index needs no lock and no atomics. m->locks is all there is
 * to it: whoever would leave the M while it is above 0 ends the program, and nobody takes the P
 * of such an M. A pinned goroutine cannot move, so the count may sit in the M.
 *
 * Between quoit_preempt_disable and quoit_preempt_enable a goroutine may wait, but it is not made
 * to give way, and its P is not taken. It may move when it waits, so this count sits in its stack.
 */
#include "proc.h"

#include "stack.h"
#include "throw.h"

/* m->locks is also above 0 while an unlock function of the user's runs (finish_park). */
cold void pinned(const char *what)
{
    throw("%s: may not wait between quoit_pin and quoit_unpin, nor in an unlock function", what);
}

cold void pinned_end(const struct m *mp)
{
    if (mp->locks != 0)
        throw("quoit_pin: the goroutine ended before its quoit_unpin");
    throw("quoit_preempt_disable: the goroutine ended before its quoit_preempt_enable");
}

/* What was wanted meanwhile and could not be is done now. */
static void leave_late(struct m *mp)
{
    if (unlikely(load_relaxed(&mp->revoked) != 0) && mp->locks == 0)
        mp = entry_slow(mp);
    if (likely(mp != NULL))
        leave(mp);
}

int quoit_pin(void)
{
    struct m *mp = enter();
    int id;

    if (unlikely(mp == NULL))
        no_goroutine(__func__);
    mp->locks++;
    id = (int)mp->p->id;
    leave(mp);
    return id;
}

void quoit_unpin(void)
{
    struct m *mp = enter();

    if (unlikely(mp == NULL))
        no_goroutine(__func__);
    CHECK(mp->locks > 0, "without a quoit_pin before it");
    mp->locks--;
    leave_late(mp);
}

/* ---- what may wait, but is not made to ------------------------------------------------------ */

void quoit_preempt_disable(void)
{
    struct m *mp = enter();

    if (mp == NULL)
        return;
    mp->curg->stk->nopreempt++;
    leave(mp);
}

void quoit_preempt_enable(void)
{
    struct m *mp = enter();

    if (mp == NULL)
        return;
    CHECK(mp->curg->stk->nopreempt > 0, "without a quoit_preempt_disable before it");
    mp->curg->stk->nopreempt--;
    leave_late(mp);
}

void quoit_preempt_point(void)
{
    struct m *mp = enter();

    if (mp != NULL)
        leave(mp);
}
