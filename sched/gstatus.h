/* SPDX-License-Identifier: BSD-3-Clause
 * gstatus.h - the states of a goroutine and how they change
 *
 *     Gidle -> Gdead -> Grunnable <-> Grunning -> Gwaiting -> Grunnable
 *                                     Grunning -> Gsyscall -> Grunning, Grunnable
 *                                     Grunning -> Gdead
 *     Gwaiting -> Grunning: a joiner whose child ran in place on its stack
 *
 * A goroutine is always in one pair of hands: its own, those of the M that switches it, of the
 * queue it sits in, or of whoever is to ready it. Only they change its state, so a plain store
 * does; the old state is checked, and a wrong arrow ends the program with both states and the
 * id.
 *
 * A scanner (any thread) holds a goroutine in a state, which then reads with Gscan added. The
 * two sides:
 *
 *     who changes the state            the scanner
 *     1. store the new state           1. set scan
 *     2. light fence (SCAN)            2. heavy fence (SCAN)
 *     3. scan set? wait until clear    3. the state as expected? else clear scan, no luck
 *     4. go on                         4. visit, then clear scan
 *
 * Either the scanner sees the new state, or the changer sees the scanner and waits before it
 * acts on the new state. So a switch pays no locked operation for a scan that hardly ever
 * comes.
 */
#ifndef QUOIT_SCHED_GSTATUS_H
#define QUOIT_SCHED_GSTATUS_H

#include "atomic.h"

#include "gmp.h"
#include "os_linux.h"

static always_inline bool gstatus_legal(uint32_t from, uint32_t to)
{
    switch (from) {
    case Gidle:
        return to == Gdead;
    case Gdead:
        return to == Grunnable;
    case Grunnable:
        return to == Grunning;
    case Grunning:
        return to == Grunnable || to == Gwaiting || to == Gsyscall || to == Gdead;
    case Gsyscall:
        return to == Grunning || to == Grunnable;
    case Gwaiting:
        return to == Grunnable || to == Grunning;
    default:
        return false;
    }
}

/* The state, with Gscan added while a scanner holds it. Any thread. */
uint32_t gstatus_read(const struct quoit_g *gp);
/* "running", "scanwaiting", ... */
const char *gstatus_name(uint32_t status);
noreturn_fn cold void gstatus_bad(const struct quoit_g *gp, uint32_t from, uint32_t to);
cold void gstatus_scanned(struct quoit_g *gp);

/* Stores the new state; false: a scanner holds gp, and gstatus_scanned must come before
 * anything else is done with it. For the few places where even the call in the rare case would
 * cost registers. */
static always_inline bool gstatus_put(struct quoit_g *gp, uint32_t from, uint32_t to)
{
    if (unlikely(load_relaxed(&gp->status) != from || !gstatus_legal(from, to)))
        gstatus_bad(gp, from, to);
    /* order G-OFF out: the saved context and all that was done comes first; in: ready */
    store_release(&gp->status, to);
    /* order SCAN full: the new state is out before a scanner is looked for; in: gscan_begin.
     * order CANCEL full: and before a mark is; in: end_wait */
    fence_light();
    /* order SCAN in: a visit that came and went meanwhile is over; out: gscan_end */
    return likely(load_acquire(&gp->scan) == 0);
}

static always_inline void gstatus_set(struct quoit_g *gp, uint32_t from, uint32_t to)
{
    if (unlikely(!gstatus_put(gp, from, to)))
        gstatus_scanned(gp);
}

/* Holds gp in `state`: false when it is in another one, or held by another scanner. Any thread. */
bool gscan_begin(struct quoit_g *gp, uint32_t state);
void gscan_end(struct quoit_g *gp);

#endif
