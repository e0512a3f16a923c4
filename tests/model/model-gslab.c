/* SPDX-License-Identifier: BSD-3-Clause
 * model-gslab.c - gfree.c: who visits all goroutines finds whole slabs and whole records
 */
#include "explore.h"

#include "cpu.h"
#include "simple-lock.h"

#include "../../sched/gfree.c"

#include "../../sched/gstatus.c"

#include <string.h>

static struct node node;
static char memory[sizeof(struct gslab) + 4 * sizeof(struct quoit_g)] cacheline_aligned;
static uint64_t slab_made;
static int visited;

void *mem_reserve(size_t bytes unused_arg, size_t align unused_arg, int n unused_arg)
{
    data_write(&slab_made, 1);
    return memory;
}

static void setup(void)
{
    memset(&sched, 0, sizeof(sched));
    memset(&node, 0, sizeof(node));
    memset(memory, 0, sizeof(memory));
    sched.nodes = &node;
    sched.nnodes = 1;
    slab_made = 0;
    visited = 0;
    fence_bias = 0;
    explore_name(&slab_made, "the slab");
}

static void carves(void)
{
    carve_locked(&node);
    carve_locked(&node);
}

static int visit(struct quoit_g *gp, void *arg unused_arg)
{
    visited++;
    explore_check(load_relaxed(&gp->status) == Gdead, "a record that is not whole was visited");
    return 0;
}

static void visits(void)
{
    struct gslab *slab;

    allgs(visit, NULL);
    slab = load_relaxed(&node.gslabs);
    if (visited > 0 && slab != NULL)
        data_read(&slab_made);
}

static const struct explore tests[] = {
    {.name = "one makes records, one visits", .setup = setup, .thread = {carves, visits}},
};

int main(int argc, char **argv)
{
    return explore_main(argc, argv, tests);
}
