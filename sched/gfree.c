/* SPDX-License-Identifier: BSD-3-Clause
 * gfree.c - the node's side of gfree.h: depots and slabs
 */
#include "gfree.h"

#include "mem.h"

#include "gstatus.h"
#include "lock.h"

#include <errno.h>
#include <sys/mman.h>

/* Slabs begin small, so that a small program stays small, and double up to a huge page. */
enum { SLAB_MIN = 64 << 10, SLAB_MAX = 2 << 20, AWAY_MAX = 32 };

struct gslab {
    struct gslab *link;
    size_t bytes;
    uint32_t used, room;
    struct quoit_g g[] cacheline_aligned;
};

static struct gslab *slab_new(struct node *np)
{
    size_t bytes = SLAB_MIN;
    struct gslab *slab;
    int saved = errno; /* whoever spawns may be about to look at it */

    if (np->gslabs != NULL)
        bytes = np->gslabs->bytes < SLAB_MAX ? np->gslabs->bytes * 2 : SLAB_MAX;
    slab = mem_reserve(bytes, bytes, np->id);
    /* Queues of many goroutines are walked at random: fewer, larger pages. Refusal costs only
     * speed. */
    if (slab != NULL && bytes == SLAB_MAX)
        (void)madvise(slab, bytes, MADV_HUGEPAGE);
    errno = saved;
    if (slab == NULL)
        return NULL;
    slab->bytes = bytes;
    slab->room = (uint32_t)((bytes - sizeof *slab) / sizeof slab->g[0]);
    slab->link = np->gslabs;
    /* order GSLAB out: the slab is whole before a visitor finds it; in: allgs */
    store_release(&np->gslabs, slab);
    return slab;
}

/* One new record, under memlock. */
static struct quoit_g *carve_locked(struct node *np)
{
    struct gslab *slab = np->gslabs;
    struct quoit_g *gp;

    if (slab == NULL || slab->used == slab->room)
        slab = slab_new(np);
    if (slab == NULL)
        return NULL;
    gp = &slab->g[slab->used];
    gp->node = (uint16_t)np->id;
    gp->scan = fence_bias;
    gstatus_set(gp, Gidle, Gdead);
    /* order GSLAB out: the record is whole before a visitor counts it; in: allgs */
    store_release(&slab->used, slab->used + 1);
    return gp;
}

/* A magazine from the depot, else as many new records as there is memory for. */
static struct quoit_g *magazine_get(struct node *np, uint32_t *n)
{
    struct quoit_g *top;

    lock(&np->memlock);
    top = np->gfree.magazines;
    *n = 0;
    if (top != NULL) {
        np->gfree.magazines = top->batch;
        *n = GMAG;
    } else {
        for (struct quoit_g *gp; *n < GMAG && (gp = carve_locked(np)) != NULL; ++*n) {
            gp->link = top;
            top = gp;
        }
    }
    unlock(&np->memlock);
    return top;
}

static void magazine_put(struct node *np, struct quoit_g *top)
{
    lock(&np->memlock);
    top->batch = np->gfree.magazines;
    np->gfree.magazines = top;
    unlock(&np->memlock);
}

cold struct quoit_g *gfget_slow(struct p *pp)
{
    struct quoit_g *gp;
    uint32_t n = 0;

    if (pp->gfree.full != NULL) {
        pp->gfree.top = pp->gfree.full;
        pp->gfree.full = NULL;
        n = GMAG;
    } else {
        pp->gfree.top = magazine_get(pp->node, &n);
    }
    gp = pp->gfree.top;
    if (gp != NULL) {
        pp->gfree.top = gp->link;
        n--;
    }
    /* hint: as in gfget_quick */
    store_relaxed(&pp->gfree.n, n);
    return gp;
}

cold void gfput_slow(struct p *pp, struct quoit_g *gp)
{
    if (gp->node != (uint16_t)pp->place.node) {
        gp->link = pp->away;
        pp->away = gp;
        if (++pp->naway < AWAY_MAX)
            return;
        while ((gp = pp->away) != NULL) {
            pp->away = gp->link;
            gfput_shared(gp);
        }
        pp->naway = 0;
        return;
    }
    if (pp->gfree.full != NULL)
        magazine_put(pp->node, pp->gfree.full);
    pp->gfree.full = pp->gfree.top;
    gp->link = NULL;
    pp->gfree.top = gp;
    /* hint: as in gfget_quick */
    store_relaxed(&pp->gfree.n, 1);
}

struct quoit_g *gfget_shared(struct node *np)
{
    struct quoit_g *gp;

    lock(&np->memlock);
    /* What dies on a P comes back by the magazine. */
    if (np->loose == NULL && np->gfree.magazines != NULL) {
        np->loose = np->gfree.magazines;
        np->nloose = GMAG;
        np->gfree.magazines = np->loose->batch;
    }
    gp = np->loose;
    if (gp != NULL) {
        np->loose = gp->link;
        np->nloose--;
    } else {
        gp = carve_locked(np);
    }
    unlock(&np->memlock);
    return gp;
}

void gfput_shared(struct quoit_g *gp)
{
    struct node *np = &sched.nodes[gp->node];

    lock(&np->memlock);
    gp->link = np->loose;
    np->loose = gp;
    if (++np->nloose == GMAG) {
        gp->batch = np->gfree.magazines;
        np->gfree.magazines = gp;
        np->loose = NULL;
        np->nloose = 0;
    }
    unlock(&np->memlock);
}

static void put_list(struct quoit_g *gp)
{
    while (gp != NULL) {
        struct quoit_g *next = gp->link;

        gfput_shared(gp);
        gp = next;
    }
}

void gfpurge(struct p *pp)
{
    if (pp->gfree.full != NULL)
        magazine_put(pp->node, pp->gfree.full);
    put_list(pp->gfree.top);
    put_list(pp->away);
    pp->gfree.full = pp->gfree.top = NULL;
    /* hint: as in gfget_quick */
    store_relaxed(&pp->gfree.n, 0);
    pp->away = NULL;
    pp->naway = 0;
}

int allgs(int (*visit)(struct quoit_g *gp, void *arg), void *arg)
{
    for (uint32_t i = 0; i < sched.nnodes; i++) {
        /* order GSLAB in: slabs found are whole; out: slab_new */
        struct gslab *slab = load_acquire(&sched.nodes[i].gslabs);

        for (; slab != NULL; slab = slab->link) {
            /* order GSLAB in: records counted are whole; out: carve_locked */
            uint32_t used = load_acquire(&slab->used);

            for (uint32_t k = 0; k < used; k++) {
                int stop = visit(&slab->g[k], arg);

                if (stop != 0)
                    return stop;
            }
        }
    }
    return 0;
}

void gfree_fini(void)
{
    for (uint32_t i = 0; i < sched.nnodes; i++) {
        struct node *np = &sched.nodes[i];

        while (np->gslabs != NULL) {
            struct gslab *slab = np->gslabs;

            np->gslabs = slab->link;
            mem_release(slab, slab->bytes);
        }
    }
}
