/* SPDX-License-Identifier: BSD-3-Clause
 * held.c - locks of other people's that a goroutine holds
 *
 * They belong to its thread: it may not go on in another one before it has given them back. They
 * are counted by libquoit_preempt.a (user/locks.c), in the goroutine, which keeps them when it
 * parks.
 */
#include "proc.h"

/* Called in the middle of the program's code. The frame of the caller is not one that may be
 * switched out by force, so the thread stays the same. A goroutine may give back what code took
 * that is not linked this way: that is no lock less. Who holds more than can be counted holds them
 * to its end. */
void quoit_preempt_lock_(int delta)
{
    struct m *mp = m_get();
    struct quoit_g *gp = mp != NULL ? mp->curg : NULL;

    if (gp != NULL && gp->held != UINT8_MAX && (delta > 0 || gp->held > 0))
        gp->held = (uint8_t)(gp->held + delta);
}
