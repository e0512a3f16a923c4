/* SPDX-License-Identifier: BSD-3-Clause
 * gfree.h - records of goroutines: made in slabs on a node, kept for reuse
 *
 * A P keeps two magazines of GMAG dead records, linked through themselves; a full or an empty
 * one is exchanged with its node's depot in one step under the node's memlock. So the common
 * path is a list head of the P's own, and the lock is taken once in GMAG times at most. A
 * record that dies far from home is gathered and sent back in a batch. Records are never given
 * back before shutdown: who has an old pointer (a debugger, a dump) reads a dead record, not a
 * hole.
 */
#ifndef QUOIT_SCHED_GFREE_H
#define QUOIT_SCHED_GFREE_H

#include "compiler.h"

#include "gmp.h"

enum { GMAG = 64 };

cold struct quoit_g *gfget_slow(struct p *pp);
cold void gfput_slow(struct p *pp, struct quoit_g *gp);

/* A record in state Gdead whose home is the P's node, or NULL where the magazine in use is empty.
 * The M holding pp. */
static always_inline struct quoit_g *gfget_quick(struct p *pp)
{
    struct quoit_g *gp = pp->gfree.top;

    if (unlikely(gp == NULL))
        return NULL;
    pp->gfree.top = gp->link;
    /* hint: others show it */
    store_relaxed(&pp->gfree.n, pp->gfree.n - 1);
    return gp;
}

/* The same, NULL only for want of memory. */
static always_inline struct quoit_g *gfget(struct p *pp)
{
    struct quoit_g *gp = gfget_quick(pp);

    return likely(gp != NULL) ? gp : gfget_slow(pp);
}

/* Takes a record in state Gdead that nobody has a handle to. */
static always_inline void gfput(struct p *pp, struct quoit_g *gp)
{
    if (unlikely(pp->gfree.n == GMAG || gp->node != (uint16_t)pp->place.node)) {
        gfput_slow(pp, gp);
        return;
    }
    gp->link = pp->gfree.top;
    pp->gfree.top = gp;
    /* hint: as in gfget_quick */
    store_relaxed(&pp->gfree.n, pp->gfree.n + 1);
}

/* What the P keeps goes to the nodes; its holder, or with the world stopped. */
void gfpurge(struct p *pp);

/* The same for any thread, through the node's lock. */
struct quoit_g *gfget_shared(struct node *np);
void gfput_shared(struct quoit_g *gp);

/* Calls visit for each record ever made, dead ones too; stops and returns when visit returns
 * non-zero. */
int allgs(int (*visit)(struct quoit_g *gp, void *arg), void *arg);

void gfree_fini(void);

#endif
