/* SPDX-License-Identifier: BSD-3-Clause
 * held.c - locks of other people's that a goroutine holds
 *
 * They belong to its thread: it may not go on in another one before it has given them back. They
 * are counted by libquoit_preempt.a (user/locks.c), in the goroutine. While it holds one it is
 * locked to its thread, so if it parks of its own will its thread waits with it, and runs
 * nobody else who might want that lock (lockthread.c).
 */
#include "lockthread.h"

#include "proc.h"

static void change(struct m *mp, struct quoit_g *gp, int delta)
{
    bool before = gp->held != 0, locked = load_relaxed(&gp->flags) & G_LOCKED;

    if (gp->held == UINT8_MAX || (delta < 0 && !before))
        return;
    gp->held = (uint8_t)(gp->held + delta);
    if (!before && !locked)
        lock_thread(mp, gp);
    if (gp->held == 0 && locked && gp->lockdepth == 0 && !mp->foreign)
        unlock_thread(mp, gp);
}

/* Called in the middle of the program's code. The frame of the caller is not one that may be
 * switched out by force, so the thread stays the same. It has just taken the lock, or holds it
 * still, so it must not wait at the door: whether there is a P is asked under the lock of who takes
 * it. A goroutine may give back what code took that is not linked this way: that is no lock less.
 * Who holds more than can be counted holds them to its end. Inside are Quoit's own, of a program
 * that is linked with the archive, and those of its callbacks: nobody is switched out there. */
void quoit_preempt_lock_(int delta)
{
    struct m *mp = m_get();

    if (mp == NULL || mp->curg == NULL || load_relaxed(&mp->inside) != 0)
        return;
    store_relaxed(&mp->inside, 1);
    /* order INSIDE full: inside is set before revoked is read; in: m_take */
    fence_light();
    if (unlikely(load_relaxed(&mp->revoked) != 0)) {
        lock(&mp->lock);
        change(mp, mp->curg, delta);
        unlock(&mp->lock);
    } else {
        change(mp, mp->curg, delta);
    }
    /* order INSIDE out: all that was done inside comes first; in: m_take */
    store_release(&mp->inside, 0);
}
