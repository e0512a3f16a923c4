/* SPDX-License-Identifier: BSD-3-Clause
 * test-p.c - a P that is taken away leaves all that waited there, in the order in which it waited
 *
 * The world is stopped, so nobody else touches the queues: what is in them are records that never
 * run.
 */
#include "p.h"

#include "fakepoll.h"
#include "forkq.h"
#include "globrunq.h"
#include "proc.h"
#include "runq.h"
#include "stack.h"
#include "tap.h"
#include "world.h"

#include <stdlib.h>

enum { PROCS = 4, MOST = RUNQ_SIZE + FORKQ_SIZE + 1 };

/* Of each P, in the order in which they are to come out. */
static struct quoit_g gs[PROCS][MOST];
static uint32_t filled[PROCS];
static struct quoit_g before[2];

static void make(struct quoit_g *gp, bool started)
{
    static struct stack stk;

    *gp = (struct quoit_g){ .status = Grunnable, .stk = started ? &stk : NULL };
}

/* `next`, then a ring of `ring`, then so many unstarted ones. */
static void fill(uint32_t i, bool next, uint32_t ring, uint32_t unstarted)
{
    struct p *pp = sched.allp[i];
    uint32_t n = 0;

    if (next) {
        make(&gs[i][n], true);
        runq_put_next(&pp->runq, &gs[i][n++]);
    }
    for (; ring > 0; ring--) {
        make(&gs[i][n], true);
        if (!runq_put(&pp->runq, &gs[i][n++]))
            bail("a ring is full");
    }
    for (; unstarted > 0; unstarted--) {
        make(&gs[i][n], false);
        if (!forkq_put(&pp->forkq, &gs[i][n++]))
            bail("a queue of unstarted ones is full");
    }
    filled[i] = n;
}

static bool is_empty(const struct p *pp)
{
    return runq_empty(&pp->runq) && forkq_size(&pp->forkq) == 0;
}

/* The first one of the node's shared queue. */
static struct quoit_g *first(struct node *np)
{
    return globrunqget(m_get()->p, np, 1);
}

static bool come_from(uint32_t i, struct node *np)
{
    bool right = true;

    for (uint32_t k = 0; k < filled[i]; k++)
        right &= first(np) == &gs[i][k];
    filled[i] = 0;
    return right;
}

static void resize(uint32_t n)
{
    if (procresize(m_get(), n) != 0)
        bail("procresize to %u", n);
}

/* From PROCS to n and back: what waited on those that go comes out of the shared queues, by their
 * turn. */
static bool shrink(uint32_t n)
{
    bool right = true;

    resize(n);
    for (uint32_t i = n; i < PROCS; i++) {
        right &= is_empty(sched.allp[i]);
        right &= come_from(i, sched.allp[i]->node);
    }
    for (uint32_t i = 0; i < sched.nnodes; i++)
        while (first(&sched.nodes[i]) != NULL)
            right = false;
    resize(PROCS);
    return right;
}

/* ---- one ------------------------------------------------------------------------------------ */

/* Of every size: so each place of the ring is once its beginning. */
static void in_order(void)
{
    bool ring = true, unstarted = true, all = true;

    for (uint32_t n = 0; n <= RUNQ_SIZE && ring; n++) {
        fill(PROCS - 1, false, n, 0);
        ring = shrink(PROCS - 1);
    }
    ok(ring, "a ring of every size leaves in its order");
    for (uint32_t n = 0; n <= FORKQ_SIZE && unstarted; n++) {
        fill(PROCS - 1, false, 0, n);
        unstarted = shrink(PROCS - 1);
    }
    ok(unstarted, "so do unstarted ones, the oldest first");
    for (uint32_t n = 0; n <= RUNQ_SIZE && all; n += 31) {
        fill(PROCS - 1, true, n, RUNQ_SIZE - n);
        all = shrink(PROCS - 1);
    }
    ok(all, "who was readied last is first, then the ring, then unstarted ones");
}

/* ---- several -------------------------------------------------------------------------------- */

static void several_go(void)
{
    bool right = true;

    for (uint32_t n = PROCS - 1; n > 0; n--) {
        for (uint32_t i = n; i < PROCS; i++)
            fill(i, i % 2 == 0, 60 + i, 10 * i);
        right &= shrink(n);
    }
    ok(right, "several that go, one after the other");
}

static void those_that_stay(void)
{
    bool right;

    fill(0, true, 50, 5);
    fill(PROCS - 1, true, 50, 5);
    resize(PROCS - 1);
    right = come_from(PROCS - 1, sched.allp[PROCS - 1]->node);
    ok(right && runq_size(&sched.allp[0]->runq) == 50 && forkq_size(&sched.allp[0]->forkq) == 5,
       "what waits on a P that stays, stays there");
    while (runq_get_next(&sched.allp[0]->runq) != NULL || runq_get(&sched.allp[0]->runq) != NULL ||
           forkq_pop(&sched.allp[0]->forkq, false) != NULL)
        ;
    resize(PROCS);
}

static void older_ones_first(void)
{
    struct node *np = sched.allp[PROCS - 1]->node;
    bool right = true;

    for (int i = 0; i < 2; i++) {
        make(&before[i], true);
        globrunqput(np, &before[i]);
    }
    fill(PROCS - 1, true, 3, 3);
    resize(PROCS - 1);
    for (int i = 0; i < 2; i++)
        right &= first(np) == &before[i];
    ok(right && come_from(PROCS - 1, np), "who waited in the shared queue before stays ahead");
    resize(PROCS);
}

/* The stopper's own P goes, and it has another one. */
static void its_own_goes(void)
{
    struct m *mp = m_get();

    releasep(mp)->stopped = true;
    sched.allp[PROCS - 1]->stopped = false;
    acquirep(mp, sched.allp[PROCS - 1]);
    resize(PROCS - 1);
    ok(mp->p == sched.allp[0] && mp->p->m == mp, "who has stopped the world keeps a P");
    ok(!mp->p->idle && !mp->p->stopped && sched.allp[PROCS - 1]->m == NULL, "for itself");
    resize(PROCS);
}

static int body(void *arg unused_arg)
{
    if (quoit_stop_world(INT64_MAX, 0) != 0)
        bail("quoit_stop_world");
    in_order();
    several_go();
    those_that_stay();
    older_ones_first();
    its_own_goes();
    quoit_start_world();
    return 7;
}

int main(void)
{
    setenv("HWLOC_SYNTHETIC", "node:2 core:2 pu:1", 1);
    setenv("QUOIT_BIND", "none", 1);
    is_int(world_run(PROCS, body, NULL), 7, "and the world goes on");
    return done_testing();
}
