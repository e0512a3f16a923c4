/* SPDX-License-Identifier: BSD-3-Clause
 * order.c - distances between places, sorted
 *
 * Rows are filled by counting: rings are few, so one pass counts each and
 * another places the entries, which keeps the order in which we meet them (from
 * the next neighbour on, around).
 */
#include "order.h"

#include <errno.h>
#include <stdlib.h>

enum { RINGS_MAX = 256 };

static int by_value(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

/* The different distances of one node's row, sorted; returns how many. */
static int levels(const struct topo *t, int node, int *out)
{
    int all = 0, n = 0;
    for (int to = 0; to < t->nnodes; to++)
        if (to != node)
            out[all++] = topo_distance(t, node, to);
    qsort(out, (size_t)all, sizeof *out, by_value);
    for (int i = 0; i < all; i++)
        if (i == 0 || out[i] != out[n - 1])
            out[n++] = out[i];
    return n;
}

static int far_ring(int distance, const int *level, int nlevels)
{
    int i = 0;
    while (i < nlevels - 1 && level[i] < distance && RING_FAR + i < RINGS_MAX - 1)
        i++;
    return RING_FAR + i;
}

/* The node comes first: a cache that spans nodes (clustered L3) does not make
 * memory near. */
static int ring_of(const struct topo *t, const struct place *a, const struct place *b,
                   const int *level, int nlevels)
{
    const struct slot *sa = &t->slots[a->slot], *sb = &t->slots[b->slot];
    if (sa->node != sb->node)
        return far_ring(topo_distance(t, sa->node, sb->node), level, nlevels);
    if (sa->core == sb->core)
        return RING_CORE;
    if (sa->l2 >= 0 && sa->l2 == sb->l2)
        return RING_L2;
    if (sa->l3 >= 0 && sa->l3 == sb->l3)
        return RING_L3;
    return RING_NODE;
}

static void fill_row(const struct topo *t, const struct place *places, int k, struct order *o,
                     int *level, uint8_t *ring_to)
{
    int n = o->n, start[RINGS_MAX + 1] = {0};
    uint16_t *other = o->other + (long)k * (n - 1);
    uint8_t *ring = o->ring + (long)k * (n - 1);
    int nlevels = levels(t, places[k].node, level);
    for (int step = 1; step < n; step++) {
        int j = (k + step) % n;
        ring_to[j] = (uint8_t)ring_of(t, &places[k], &places[j], level, nlevels);
        start[ring_to[j] + 1]++;
    }
    for (int r = 1; r <= RINGS_MAX; r++)
        start[r] += start[r - 1];
    for (int step = 1; step < n; step++) {
        int j = (k + step) % n;
        int at = start[ring_to[j]]++;
        other[at] = (uint16_t)j;
        ring[at] = ring_to[j];
    }
}

int order_make(const struct topo *t, const struct place *places, int n, struct order *out)
{
    if (n < 1 || n > UINT16_MAX)
        return -EINVAL;
    size_t entries = (size_t)n * (size_t)(n - 1);
    int *level = calloc((size_t)t->nnodes, sizeof *level);
    uint8_t *ring_to = calloc((size_t)n, sizeof *ring_to);
    *out = (struct order){
        .n = n,
        .other = calloc(entries + 1, sizeof *out->other), /* + 1: one place has no others */
        .ring = calloc(entries + 1, sizeof *out->ring),
    };
    int err = level && ring_to && out->other && out->ring ? 0 : -ENOMEM;
    for (int k = 0; !err && k < n; k++)
        fill_row(t, places, k, out, level, ring_to);
    free(level);
    free(ring_to);
    if (err)
        order_free(out);
    return err;
}

void order_free(struct order *o)
{
    free(o->other);
    free(o->ring);
    *o = (struct order){0};
}
