/* SPDX-License-Identifier: BSD-3-Clause
 * pick.h - the next goroutine of a P, as every switch needs it
 */
#ifndef QUOIT_SCHED_PICK_H
#define QUOIT_SCHED_PICK_H

#include "forkq.h"
#include "proc.h"
#include "runq.h"

/* Due: looks at every source in turn; NULL: nothing there, or nothing that may run here. */
struct quoit_g *pick_fair(struct m *mp, bool parked);
/* The shared queue and completions. */
struct quoit_g *pick_further(struct m *mp);

/* From the P's own queues, or NULL. Of the unstarted ones the newest if the last goroutine
 * parked, else the oldest: who waits most likely waits for what it made last, who ended or
 * yielded does not. */
static always_inline struct quoit_g *pick_local(struct m *mp, bool parked)
{
    struct p *pp = mp->p;
    struct quoit_g *gp;

    if (unlikely(pp->schedtick >= pp->fairat))
        return pick_fair(mp, parked);
    gp = runq_get_next(&pp->runq);
    if (gp != NULL)
        return gp;
    gp = runq_get(&pp->runq);
    if (gp != NULL)
        return gp;
    return forkq_pop(&pp->forkq, parked);
}

/* The same, then from what is near. */
static always_inline struct quoit_g *pick(struct m *mp, bool parked)
{
    struct quoit_g *gp = pick_local(mp, parked);

    return likely(gp != NULL) ? gp : pick_further(mp);
}

#endif
