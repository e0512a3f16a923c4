/* SPDX-License-Identifier: BSD-3-Clause
 * syscall.c - inside and outside: what an M does that finds a note at the door
 *
 * m->inside is 1 while the M runs Quoit's own code. Who wants the M's attention sets
 * m->revoked; the M looks at each entry, right after it has set inside:
 *
 *     the M, at a public entry            who calls it
 *     1. inside = 1                       1. say what is wanted (sched.stopping)
 *     2. light fence (INSIDE)             2. revoked = 1
 *     3. revoked set? entry_slow          3. the M comes in at its next entry
 */
#include "proc.h"

#include "switch.h"

struct m *entry_slow(struct m *mp)
{
    if (fence_and_load(&mp->revoked) == 0)
        return mp;
    store_relaxed(&mp->revoked, fence_bias);
    /* Abandoned: nobody will resume this goroutine. */
    /* order INSIDE in: why the M was called is seen; out: m_wake_all */
    if (load_acquire(&sched.stopping))
        return switch_to_g0(mp, AFTER_NOTHING);
    return mp;
}

struct m *enter_g(const char *who)
{
    struct m *mp = enter();

    if (unlikely(mp == NULL))
        throw("%s: called by a thread that is no goroutine", who);
    return mp;
}
