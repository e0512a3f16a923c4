/* SPDX-License-Identifier: BSD-3-Clause
 * p.c - P's: held by one M at a time, idle otherwise; more or fewer while the world is stopped
 *
 * A P that was taken away keeps its record, for others may have a pointer to it, and comes back
 * with the next growth. Cores are taken and left in the order of places, so the k-th P is always
 * at the k-th.
 */
#include "p.h"

#include "bind.h"
#include "mem.h"
#include "topo.h"

#include "env.h"
#include "forkq.h"
#include "gfree.h"
#include "globrunq.h"
#include "m.h"
#include "netpoll.h"
#include "os_linux.h"
#include "runq.h"
#include "stack.h"
#include "sysmon.h"
#include "throw.h"
#include "timer.h"
#include "world.h"

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
    /* The goroutine that is locked here goes on here alone: each of its switches has to look. */
    if (mp->lockedg != NULL)
        pp->fairat = 0;
    m_bind(mp, pp);
    if (load_relaxed(&sched.sysmonwait))
        sysmon_wake();
}

struct p *releasep(struct m *mp)
{
    struct p *pp = mp->p;

    CHECK(pp != NULL && pp->m == mp, "not a holder");
    mp->p = NULL;
    store_relaxed(&pp->m, NULL);
    return pp;
}

/* Turns are long now: 61 of them may be a second. `next` is the last source that pick_fair looks
 * at, so who is there queues up first. */
void turn_ends(struct p *pp)
{
    struct quoit_g *gp = runq_get_next(&pp->runq);

    if (gp != NULL)
        runq_add(pp, gp);
    /* Who gives way would be the first in there. */
    if (runq_size(&pp->runq) == 0 && pp->turn % 3 == 2)
        pp->turn++;
    pp->fairat = 0;
}

void pidleput_locked(struct p *pp)
{
    if (load_relaxed(&sched.gcwaiting)) {
        pp->stopped = true;
        world_stopped_one_locked();
    } else {
        pidleadd_locked(pp);
    }
}

void pidleadd_locked(struct p *pp)
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
        /* One that gomaxprocs took away knows no neighbours. */
        for (uint32_t i = 0; !near->idle && near->id < sched.nprocs && i < sched.nprocs - 1; i++) {
            pp = sched.allp[near->near[i]];
            if (pp->idle)
                break;
        }
    }
    pidledrop_locked(pp);
    return pp;
}

uint64_t p_ticks(void)
{
    uint64_t n = 0;

    for (uint32_t i = 0; i < nallp(); i++)
        n += load_relaxed(&sched.allp[i]->schedtick);
    return n;
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
    pp->forkq.slot = pp->forkq_slots;
    return pp;
}

/* Its memory stays where it is, and so does its node. */
static void set_place(struct p *pp, const struct place *place)
{
    pp->place.slot = place->slot;
    pp->place.cpu = place->cpu;
    /* hint: schedtrace reads it without stopping the world */
    store_relaxed(&pp->place.core, place->core);
}

/* Who is near to whom, among the first n, and what follows from it. */
static void set_order(struct order *order, uint32_t n)
{
    order_free(&sched.order);
    sched.order = *order;
    store_relaxed(&sched.nprocs, n);
    for (uint32_t i = 0; i < n; i++) {
        struct p *pp = sched.allp[i];

        set_place(pp, &sched.places[i]);
        pp->runq.alone = pp->forkq.alone = n == 1;
        pp->near = order_row(&sched.order, (int)i);
        pp->ring = order_rings(&sched.order, (int)i);
    }
}

/* P's up to n, those that were taken away before come back; -ENOMEM: none of it holds. */
static int make_procs(uint32_t n)
{
    struct order order = { 0 };
    int e = place_make((int)n, sched.places);

    if (e == 0)
        e = order_make(topo_get(), sched.places, (int)n, &order);
    if (e < 0)
        return e;
    for (uint32_t i = sched.nallp; i < n; i++) {
        sched.allp[i] = p_new(i);
        if (sched.allp[i] == NULL) {
            order_free(&order);
            return -ENOMEM;
        }
        /* order ALLP out: the P is whole before it is counted; in: nallp */
        store_release(&sched.nallp, i + 1);
    }
    set_order(&order, n);
    return 0;
}

int p_init(uint32_t n)
{
    int e = nodes_init();

    if (e < 0)
        return e;
    sched.places = calloc(PROCS_MAX, sizeof *sched.places);
    sched.allp = calloc(PROCS_MAX, sizeof *sched.allp);
    if (sched.places == NULL || sched.allp == NULL)
        return -ENOMEM;
    e = make_procs(n);
    if (e < 0)
        return e;
    sched.npidle = fence_bias;
    for (uint32_t i = n; i-- > 0;)
        pidleput_locked(sched.allp[i]);
    return 0;
}

/* What waits there, in its order, goes to the shared queue of the node; what is kept there for
 * reuse goes to the node too. */
static void retire(struct p *pp)
{
    struct quoit_g *gp;

    while ((gp = runq_get_next(&pp->runq)) != NULL || (gp = runq_get(&pp->runq)) != NULL ||
           (gp = forkq_pop(&pp->forkq, false)) != NULL)
        globrunqput(pp->node, gp);
    gfpurge(pp);
    stack_purge(pp);
    pp->stopped = false;
}

int procs_wanted(void)
{
    int n = topo_procs();

    return n < PROCS_MAX ? n : PROCS_MAX;
}

/* There are more threads than P's now: those that sleep for good are to look how many. */
static void wake_spare(void)
{
    lock(&sched.lock);
    for (struct m *mp = sched.idlem; mp != NULL; mp = mp->idlelink)
        netpoll_wake(mp);
    unlock(&sched.lock);
}

int procresize(struct m *mp, uint32_t n)
{
    uint32_t old = sched.nprocs;
    int e = make_procs(n);

    if (e < 0)
        return e;
    if (mp != NULL && mp->p->id >= n) {
        releasep(mp);
        sched.allp[0]->stopped = false;
        acquirep(mp, sched.allp[0]);
    }
    for (uint32_t i = old; i < n; i++)
        sched.allp[i]->stopped = true;
    for (uint32_t i = n; i < old; i++)
        retire(sched.allp[i]);
    if (!(env.flags & QUOIT_NO_BIND))
        sched.bind = place_mode(env.bind, (int)n);
    /* Bound to a core before, perhaps to a node now: at the next P each looks anew. */
    for (struct m *m2 = allm_first(); m2 != NULL; m2 = m2->alllink)
        /* hint: so does m_new */
        store_relaxed(&m2->boundslot, -1);
    if (mp != NULL)
        m_bind(mp, mp->p);
    if (n < old)
        wake_spare();
    return 0;
}

void p_fini(void)
{
    for (uint32_t i = 0; sched.allp != NULL && i < PROCS_MAX; i++)
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
