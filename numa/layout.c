/* SPDX-License-Identifier: BSD-3-Clause
 * layout.c - numbers nodes and cores without holes and puts slots in order
 *
 * The order of slots is the policy of the house: a runner more is worth most on
 * a core that does nothing yet, so siblings come last; among cores, near ones
 * first, because runners talk to each other and the memory of the process
 * already lies on the first node; among equally near ones, fast ones first.
 */
#include "layout.h"

#include <errno.h>
#include <stdlib.h>

enum { DISTANCE_LOCAL = 10, DISTANCE_REMOTE = 20 };

struct key {
    struct slot slot;
    int away;  /* distance of the node from the first one */
    int speed;
    int index; /* ends every tie */
};

int layout_node(const struct topo *tp, int node_os)
{
    for (int i = 0; i < tp->nnodes; i++)
        if (tp->node_os[i] == node_os)
            return i;
    return -1;
}

/* Keeps the list sorted by the kernel's numbers. */
static void add_node(struct topo *tp, int os, uint64_t bytes)
{
    if (layout_node(tp, os) >= 0)
        return;
    int i = tp->nnodes++;
    for (; i > 0 && tp->node_os[i - 1] > os; i--) {
        tp->node_os[i] = tp->node_os[i - 1];
        tp->node_bytes[i] = tp->node_bytes[i - 1];
    }
    tp->node_os[i] = os;
    tp->node_bytes[i] = bytes;
}

int layout_nodes(struct topo *tp, const struct found *all, int n)
{
    tp->node_os = calloc((size_t)n, sizeof *tp->node_os);
    tp->node_bytes = calloc((size_t)n, sizeof *tp->node_bytes);
    if (!tp->node_os || !tp->node_bytes)
        return -ENOMEM;
    for (int i = 0; i < n; i++)
        if (all[i].node_os >= 0)
            add_node(tp, all[i].node_os, all[i].node_bytes);
    if (tp->nnodes == 0)
        tp->nnodes = 1; /* number 0, as on every machine that has just one */
    tp->distance = calloc((size_t)tp->nnodes * (size_t)tp->nnodes, sizeof *tp->distance);
    if (!tp->distance)
        return -ENOMEM;
    for (int i = 0; i < tp->nnodes * tp->nnodes; i++)
        tp->distance[i] = i % (tp->nnodes + 1) ? DISTANCE_REMOTE : DISTANCE_LOCAL;
    return 0;
}

static int by_worth(const void *va, const void *vb)
{
    const struct key *a = va, *b = vb;
    if (a->slot.smt != b->slot.smt)
        return a->slot.smt - b->slot.smt;
    if (a->away != b->away)
        return a->away - b->away;
    if (a->slot.node != b->slot.node)
        return a->slot.node - b->slot.node;
    if (a->speed != b->speed)
        return b->speed - a->speed;
    return a->index - b->index;
}

/* Numbers cores in the order of the list; caches keep their numbers, which are
 * only compared. */
static void number(struct topo *tp, const struct found *all, int n, struct key *keys)
{
    for (int i = 0; i < n; i++) {
        bool sibling = i > 0 && all[i].core >= 0 && all[i].core == all[i - 1].core;
        int node = layout_node(tp, all[i].node_os);
        if (!sibling)
            tp->ncores++;
        keys[i].slot = (struct slot){
            .cpu = all[i].cpu,
            .core = tp->ncores - 1,
            .node = node < 0 ? 0 : node,
            .l2 = all[i].l2,
            .l3 = all[i].l3,
            .smt = sibling ? keys[i - 1].slot.smt + 1 : 0,
        };
        keys[i].speed = all[i].speed;
        keys[i].index = i;
        if (all[i].cpu >= tp->ncpus)
            tp->ncpus = all[i].cpu + 1;
    }
}

static void sort_slots(struct topo *tp, struct key *keys, int n, int here)
{
    int first = 0;
    for (int i = 0; i < n; i++)
        if (keys[i].slot.cpu == here)
            first = keys[i].slot.node;
    for (int i = 0; i < n; i++)
        keys[i].away = keys[i].slot.node == first ? 0 : topo_distance(tp, first, keys[i].slot.node);
    qsort(keys, (size_t)n, sizeof *keys, by_worth);
}

static void mark(unsigned long *masks, size_t words, int row, int cpu)
{
    const int bits = 8 * sizeof(unsigned long);
    masks[(size_t)row * words + (size_t)(cpu / bits)] |= 1UL << (cpu % bits);
}

static int fill(struct topo *tp, const struct key *keys, int n)
{
    const int bits = 8 * sizeof(unsigned long);
    size_t words = (size_t)((tp->ncpus + bits - 1) / bits);
    tp->mask_bytes = words * sizeof(unsigned long);
    tp->slots = calloc((size_t)n, sizeof *tp->slots);
    tp->cpu_slot = calloc((size_t)tp->ncpus, sizeof *tp->cpu_slot);
    tp->slot_masks = calloc((size_t)n, tp->mask_bytes);
    tp->core_masks = calloc((size_t)tp->ncores, tp->mask_bytes);
    tp->node_masks = calloc((size_t)tp->nnodes, tp->mask_bytes);
    if (!tp->slots || !tp->cpu_slot || !tp->slot_masks || !tp->core_masks || !tp->node_masks)
        return -ENOMEM;
    for (int cpu = 0; cpu < tp->ncpus; cpu++)
        tp->cpu_slot[cpu] = -1;
    for (int i = 0; i < n; i++) {
        const struct slot *s = &keys[i].slot;
        tp->slots[i] = *s;
        tp->slots[i].usable = true;
        tp->cpu_slot[s->cpu] = i;
        mark(tp->slot_masks, words, i, s->cpu);
        mark(tp->core_masks, words, s->core, s->cpu);
        mark(tp->node_masks, words, s->node, s->cpu);
    }
    tp->nslots = tp->nallowed = tp->nusable = n;
    return 0;
}

int layout_slots(struct topo *tp, const struct found *all, int n, int here)
{
    struct key *keys = calloc((size_t)n, sizeof *keys);
    if (!keys)
        return -ENOMEM;
    number(tp, all, n, keys);
    sort_slots(tp, keys, n, here);
    int err = fill(tp, keys, n);
    free(keys);
    return err;
}

void layout_free(struct topo *tp)
{
    if (!tp)
        return;
    free(tp->slots);
    free(tp->node_os);
    free(tp->distance);
    free(tp->node_bytes);
    free(tp->cpu_slot);
    free(tp->slot_masks);
    free(tp->core_masks);
    free(tp->node_masks);
    free(tp->quota_file);
    free(tp);
}
