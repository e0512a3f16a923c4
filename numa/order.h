/* SPDX-License-Identifier: BSD-3-Clause
 * order.h - for each of n places, the others from near to far
 *
 * A pure function of a topology and of places; made once, read by all. A row is
 * cut into rings of equals. Whoever walks it goes ring by ring and starts
 * anywhere within a ring; rows begin each ring with the neighbour that follows,
 * so that even walkers without dice do not all pick one victim.
 */
#ifndef QUOIT_NUMA_ORDER_H
#define QUOIT_NUMA_ORDER_H

#include <stdint.h>

#include "place.h"
#include "topo.h"

/* Rings are the same for every row; one that is empty for a row does not occur
 * in it. */
enum {
    RING_CORE, /* same core (or, when places wrap, the same hardware thread) */
    RING_L2,   /* another core, same second-level cache */
    RING_L3,
    RING_NODE, /* same node, no shared cache known */
    RING_FAR,  /* other nodes: RING_FAR is the nearest distance, RING_FAR + 1 the next, ... */
};

struct order {
    int n;
    uint16_t *other; /* n rows of n-1: indices into places */
    uint8_t *ring;   /* n rows of n-1: the ring of each, never falling within a row */
};

/* 0, -ENOMEM, or -EINVAL when n is not 1..65535. */
int order_make(const struct topo *t, const struct place *places, int n, struct order *out);
void order_free(struct order *o);

static inline const uint16_t *order_row(const struct order *o, int k)
{
    return o->other + (long)k * (o->n - 1);
}

static inline const uint8_t *order_rings(const struct order *o, int k)
{
    return o->ring + (long)k * (o->n - 1);
}

#endif
