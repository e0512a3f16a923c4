/* SPDX-License-Identifier: BSD-3-Clause
 * api.c - the public functions of this floor: arguments are checked here, and
 * nothing else happens
 */
#include "quoit_numa.h"

#include "topo.h"

#include <errno.h>

/* 0, or why the node cannot be asked about. */
static int check_node(const struct topo *t, int node)
{
    if (!t)
        return -ESHUTDOWN;
    return node < 0 || node >= t->nnodes ? -EINVAL : 0;
}

int quoit_num_nodes(void)
{
    const struct topo *t = topo_get();
    return t ? t->nnodes : -ESHUTDOWN;
}

int quoit_node_distance(int from, int to)
{
    const struct topo *t = topo_get();
    int err = check_node(t, from);
    if (!err)
        err = check_node(t, to);
    return err ? err : topo_distance(t, from, to);
}

int quoit_node_of_cpu(int cpu)
{
    const struct topo *t = topo_get();
    if (!t)
        return -ESHUTDOWN;
    if (cpu < 0 || cpu >= t->ncpus || t->cpu_slot[cpu] < 0)
        return -ENXIO;
    return t->slots[t->cpu_slot[cpu]].node;
}

int quoit_node_cpus(int node, int *cpus, int max)
{
    const struct topo *t = topo_get();
    int err = check_node(t, node), n = 0;
    if (err || max < 0 || (max > 0 && !cpus))
        return err ? err : -EINVAL;
    for (int cpu = 0; cpu < t->ncpus; cpu++) {
        int slot = t->cpu_slot[cpu];
        if (slot < 0 || t->slots[slot].node != node)
            continue;
        if (n < max)
            cpus[n] = cpu;
        n++;
    }
    return n;
}

int quoit_node_os(int node)
{
    const struct topo *t = topo_get();
    int err = check_node(t, node);
    return err ? err : t->node_os[node];
}
