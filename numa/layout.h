/* SPDX-License-Identifier: BSD-3-Clause
 * layout.h - from a list of cpus to a filled struct topo; used by topo.c alone
 */
#ifndef QUOIT_NUMA_LAYOUT_H
#define QUOIT_NUMA_LAYOUT_H

#include "topo.h"

/* One allowed cpu as it was found. Numbers of cores and caches may have holes
 * and are -1 where unknown; equal ones stand next to each other in a list. */
struct found {
    int cpu, core, l2, l3;
    int node_os; /* -1: none known, which means the first one */
    uint64_t node_bytes;
    int speed;   /* greater is faster, for machines with several kinds of core */
};

/* The nodes, with distances of 10 and 20; then the slots and masks, beginning
 * with the node of cpu `here` (-1: node 0). 0 or -ENOMEM. */
int layout_nodes(struct topo *tp, const struct found *all, int n);
int layout_slots(struct topo *tp, const struct found *all, int n, int here);

/* The node with that number of the kernel's; -1: none. */
int layout_node(const struct topo *tp, int node_os);

void layout_free(struct topo *tp);

#endif
