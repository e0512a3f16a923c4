/* SPDX-License-Identifier: BSD-3-Clause
 * p.c - P's: made once, held by one M at a time, idle otherwise
 */
#include "p.h"

#include "bind.h"
#include "mem.h"
#include "topo.h"

#include "m.h"
#include "os_linux.h"
#include "throw.h"
#include "timer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void acquirep(struct m *mp, struct p *pp)
{
    CHECK(mp->p == NULL && pp->m == NULL, "the M has a P, or the P an M");
    mp->p = mp->lastp = pp;
    /* order HOLDER out: the M is whole before others find it here; in: reap_others */
    store_release(&pp->m, mp);
    pp->lastm = mp;
    m_bind(mp, pp);
}

struct p *releasep(struct m *mp)
{
    struct p *pp = mp->p;

    CHECK(pp != NULL && pp->m == mp, "not a holder");
    mp->p = NULL;
    store_relaxed(&pp->m, NULL);
    return pp;
}

void pidleput_locked(struct p *pp)
{
    pp->idle = true;
    pp->idlelink = sched.idlep;
    sched.idlep = pp;
    /* hint: the fence that makes it count stands in second_look */
    store_relaxed(&sched.npidle, sched.npidle + 1);
}

static void pidledrop_locked(struct p *pp)
{
    struct p **at = &sched.idlep;

    while (*at != pp)
        at = &(*at)->idlelink;
    *at = pp->idlelink;
    pp->idle = false;
    /* hint: a waker that sees the old count finds nothing */
    store_relaxed(&sched.npidle, sched.npidle - 1);
}

struct p *pidleget_locked(struct p *near)
{
    struct p *pp = sched.idlep;

    if (pp == NULL)
        return NULL;
    if (near != NULL) {
        if (near->idle)
            pp = near;
        for (uint32_t i = 0; !near->idle && i < sched.nprocs - 1; i++) {
            pp = sched.allp[near->near[i]];
            if (pp->idle)
                break;
        }
    }
    pidledrop_locked(pp);
    return pp;
}

/* ---- start and end -------------------------------------------------------------------------- */

static size_t p_bytes(void)
{
    return (sizeof(struct p) + 4095) & ~(size_t)4095;
}

/* Nodes by distance from i, itself first. */
static void node_order(const struct topo *t, int i, int *near)
{
    for (int k = 0; k < t->nnodes; k++) {
        int at = k;

        while (at > 0 && near[at - 1] != i &&
               (k == i || topo_distance(t, i, near[at - 1]) > topo_distance(t, i, k))) {
            near[at] = near[at - 1];
            at--;
        }
        near[at] = k;
    }
}

static int nodes_init(void)
{
    const struct topo *t = topo_get();
    size_t n = (size_t)t->nnodes;

    sched.nodes = aligned_alloc(CACHELINE, n * sizeof *sched.nodes);
    sched.nodenear = malloc(n * n * sizeof *sched.nodenear);
    if (sched.nodes == NULL || sched.nodenear == NULL)
        return -ENOMEM;
    memset(sched.nodes, 0, n * sizeof *sched.nodes);
    sched.nnodes = (uint32_t)n;
    for (int i = 0; i < t->nnodes; i++) {
        sched.nodes[i].id = i;
        sched.nodes[i].near = sched.nodenear + (size_t)i * n;
        node_order(t, i, sched.nodenear + (size_t)i * n);
    }
    return 0;
}

static struct p *p_new(uint32_t i)
{
    struct p *pp = mem_reserve(p_bytes(), 4096, sched.places[i].node);

    if (pp == NULL)
        return NULL;
    pp->id = i;
    pp->place = sched.places[i];
    pp->node = &sched.nodes[pp->place.node];
    pp->runq.slot = pp->runq_slots;
    pp->runq.alone = sched.nprocs == 1;
    pp->forkq.slot = pp->forkq_slots;
    pp->near = order_row(&sched.order, (int)i);
    pp->ring = order_rings(&sched.order, (int)i);
    return pp;
}

int p_init(uint32_t n)
{
    int e = nodes_init();

    if (e < 0)
        return e;
    sched.places = calloc(n, sizeof *sched.places);
    sched.allp = calloc(n, sizeof *sched.allp);
    if (sched.places == NULL || sched.allp == NULL)
        return -ENOMEM;
    e = place_make((int)n, sched.places);
    if (e == 0)
        e = order_make(topo_get(), sched.places, (int)n, &sched.order);
    if (e < 0)
        return e;
    sched.nprocs = n;
    sched.npidle = fence_bias;
    for (uint32_t i = n; i-- > 0;) {
        sched.allp[i] = p_new(i);
        if (sched.allp[i] == NULL)
            return -ENOMEM;
        pidleput_locked(sched.allp[i]);
    }
    return 0;
}

void p_fini(void)
{
    for (uint32_t i = 0; i < sched.nprocs; i++)
        if (sched.allp[i] != NULL) {
            timers_fini(&sched.allp[i]->timers);
            mem_release(sched.allp[i], p_bytes());
        }
    order_free(&sched.order);
    free(sched.allp);
    free(sched.places);
    free(sched.nodenear);
    free(sched.nodes);
}
