/* SPDX-License-Identifier: BSD-3-Clause
 * globrunq.h - the queue that the P's of a node share
 *
 * Takes what finds no room in a P's own queues, what comes from threads that are not ours, and what
 * asked for the node. Ready goroutines and unstarted ones stand in it in one order.
 */
#ifndef QUOIT_SCHED_GLOBRUNQ_H
#define QUOIT_SCHED_GLOBRUNQ_H

#include "atomic.h"

#include "gmp.h"

/* hint: by the time it is used there may be more or fewer */
static inline bool globrunq_empty(const struct node *np)
{
    return load_relaxed(&np->runq.n) == 0;
}

/* At the tail. Any thread; the caller calls wakep afterwards. */
void globrunqput(struct node *np, struct quoit_g *gp);
void globrunqputbatch(struct node *np, struct quoit_g *const *gps, uint32_t n);

/* A fair share: size / P's of the machine + 1, at most `max`. The first is returned, the others
 * go into the P's own queues; NULL when empty. The M holding pp. */
struct quoit_g *globrunqget(struct p *pp, struct node *np, uint32_t max);

/* Into the P's own queue, ready or unstarted as it is. The M holding pp. */
void runq_add(struct p *pp, struct quoit_g *gp);
/* The queue was full: some of the oldest and gp go to the node's. The M holding pp. */
void runq_spill(struct p *pp, struct quoit_g *gp);
void forkq_spill(struct p *pp, struct quoit_g *gp);

#endif
