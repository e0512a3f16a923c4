/* SPDX-License-Identifier: BSD-3-Clause
 * test-globrunq.c - the queue that the P's of a node share
 */
#include "globrunq.h"

#include "forkq.h"
#include "gfree.h"
#include "runq.h"
#include "stack.h"
#include "tap.h"

#include <stdlib.h>
#include <string.h>

enum { MANY = 4000 };

static struct node node;
static struct p *pp;
static struct quoit_g g[MANY];
static struct stack stack;

/* Every second one has not started. */
static void world(uint32_t nprocs, bool started)
{
    memset(&node, 0, sizeof node);
    sched.nprocs = nprocs;
    if (pp == NULL)
        pp = aligned_alloc(CACHELINE, sizeof *pp);
    if (pp == NULL)
        bail("no memory");
    memset(pp, 0, sizeof *pp);
    pp->node = &node;
    pp->runq.slot = pp->runq_slots;
    pp->forkq.slot = pp->forkq_slots;
    pp->runq.alone = pp->forkq.alone = nprocs == 1;
    memset(g, 0, sizeof g);
    for (int i = 0; i < MANY; i++) {
        g[i].id = (uint64_t)i;
        g[i].stk = started || i % 2 ? &stack : NULL;
    }
}

static void in_order(void)
{
    struct quoit_g *batch[10];
    bool same = true;

    world(1, true);
    ok(globrunq_empty(&node), "a new one is empty");
    ok(globrunqget(pp, &node, 1) == NULL, "and has nothing");
    for (int i = 0; i < 10; i++)
        batch[i] = &g[10 + i];
    for (int i = 0; i < 10; i++)
        globrunqput(&node, &g[i]);
    globrunqputbatch(&node, batch, 10);
    globrunqput(&node, &g[20]);
    globrunqputbatch(&node, &(struct quoit_g *){ &g[21] }, 1);
    is_int(node.runq.n, 22, "one by one and in batches");
    for (int i = 0; i < 22; i++)
        same = same && globrunqget(pp, &node, 1) == &g[i];
    ok(same, "first in, first out");
    ok(globrunq_empty(&node) && globrunqget(pp, &node, 1) == NULL, "empty again");
    is_int(pp->count.global, 22, "all were counted");
    globrunqput(&node, &g[0]);
    ok(globrunqget(pp, &node, 9) == &g[0] && node.runq.last == NULL, "and usable");
}

static void fair_share(uint32_t procs, uint32_t size, uint32_t max, uint32_t want)
{
    uint32_t kept;

    world(procs, false);
    for (uint32_t i = 0; i < size; i++)
        globrunqput(&node, &g[i]);
    ok(globrunqget(pp, &node, max) == &g[0], "the first of %u", size);
    kept = runq_size(&pp->runq) + forkq_size(&pp->forkq);
    is_int(kept + 1, want, "%u P's, at most %u: %u are taken", procs, max, want);
    is_int(node.runq.n, size - want, "the others stay");
    is_int(forkq_size(&pp->forkq), (want - 1) / 2, "those that have not started apart");
}

/* What is in the node's queue and the P's, each once? */
static void all_there(uint32_t n, const char *what)
{
    uint32_t found = 0;
    struct quoit_g *gp;

    while ((gp = forkq_pop(&pp->forkq, false)) != NULL || (gp = runq_get(&pp->runq)) != NULL ||
           (gp = globrunqget(pp, &node, 100)) != NULL) {
        gp->id += MANY;
        found++;
    }
    for (uint32_t i = 0; i < n; i++)
        if (g[i].id != i + MANY)
            found = UINT32_MAX;
    is_int(found, n, "%s: none lost, none twice", what);
}

static void spills(bool started)
{
    world(2, started);
    for (int i = 0; i < MANY; i++)
        runq_add(pp, &g[i]);
    ok(!globrunq_empty(&node), "a full queue spills");
    ok(node.runq.first == &g[started ? 0 : 1] || node.runq.first == &g[0], "the oldest first");
    all_there(MANY, started ? "started" : "mixed");
}

int main(void)
{
    in_order();
    fair_share(1, 100, 1000, 100);
    fair_share(4, 100, 1000, 26);
    fair_share(4, 100, 10, 10);
    fair_share(8, 1, 10, 1);
    fair_share(8, 7, 10, 1);
    fair_share(2, 4000, 256, 256);
    spills(true);
    spills(false);
    free(pp);
    return done_testing();
}
