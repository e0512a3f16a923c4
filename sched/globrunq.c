/* SPDX-License-Identifier: BSD-3-Clause
 * globrunq.c - the queue that the P's of a node share, and the way there from a full queue
 */
#include "globrunq.h"

#include "cpu.h"

#include "forkq.h"
#include "p.h"
#include "runq.h"

/* How many move at once: one lock for many, and a buffer that a small stack has room for. */
enum { SPILL = 128 };

/* A long queue is walked faster than memory answers: so each started one names one that comes
 * AHEAD places later. */
enum { AHEAD = 8 };

static void put_chain(struct node *np, struct quoit_g *first, struct quoit_g *last, uint32_t n)
{
    last->link = NULL;
    lock(&np->lock);
    if (np->runq.last != NULL)
        np->runq.last->link = first;
    else
        np->runq.first = first;
    np->runq.last = last;
    /* hint: read without the lock by globrunq_empty; SPIN-DOWN orders it where that matters */
    store_relaxed(&np->runq.n, np->runq.n + n);
    unlock(&np->lock);
}

void globrunqput(struct node *np, struct quoit_g *gp)
{
    if (gp->stk != NULL)
        gp->ahead = gp;
    put_chain(np, gp, gp, 1);
}

void globrunqputbatch(struct node *np, struct quoit_g *const *gps, uint32_t n)
{
    for (uint32_t i = 0; i + 1 < n; i++) {
        gps[i]->link = gps[i + 1];
        if (gps[i]->stk != NULL)
            gps[i]->ahead = gps[i + AHEAD < n ? i + AHEAD : n - 1];
    }
    if (gps[n - 1]->stk != NULL)
        gps[n - 1]->ahead = gps[n - 1];
    put_chain(np, gps[0], gps[n - 1], n);
}

struct quoit_g *globrunqget(struct p *pp, struct node *np, uint32_t max)
{
    struct quoit_g *first, *gp, *rest;
    uint32_t n, size;

    if (globrunq_empty(np))
        return NULL;
    lock(&np->lock);
    size = np->runq.n;
    n = size / sched.nprocs + 1;
    if (n > max)
        n = max;
    if (n > size)
        n = size;
    first = gp = np->runq.first;
    for (uint32_t i = 1; i < n; i++) {
        if (gp->stk != NULL)
            prefetch_write(gp->ahead);
        gp = gp->link;
    }
    if (n > 0) {
        np->runq.first = gp->link;
        if (gp->link == NULL)
            np->runq.last = NULL;
        gp->link = NULL;
        /* hint: as in put_chain */
        store_relaxed(&np->runq.n, size - n);
    }
    unlock(&np->lock);
    if (n == 0)
        return NULL;
    count_add(&pp->count.global, n);
    for (rest = first->link; rest != NULL; rest = gp) {
        gp = rest->link;
        runq_add(pp, rest);
    }
    return first;
}

/* Half of a full queue, then gp: order is kept among those that move. */
noinline void runq_spill(struct p *pp, struct quoit_g *gp)
{
    struct quoit_g *batch[SPILL + 1];
    uint32_t n = runq_grab(&pp->runq, batch, SPILL);

    batch[n++] = gp;
    globrunqputbatch(pp->node, batch, n);
}

noinline void forkq_spill(struct p *pp, struct quoit_g *gp)
{
    struct quoit_g *batch[SPILL + 1];
    uint32_t n = forkq_grab(&pp->forkq, batch, SPILL);

    batch[n++] = gp;
    globrunqputbatch(pp->node, batch, n);
}

void runq_add(struct p *pp, struct quoit_g *gp)
{
    if (gp->stk == NULL) {
        if (unlikely(!forkq_put(&pp->forkq, gp)))
            forkq_spill(pp, gp);
    } else if (unlikely(!runq_put(&pp->runq, gp))) {
        runq_spill(pp, gp);
    }
}
