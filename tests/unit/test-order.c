/* SPDX-License-Identifier: BSD-3-Clause
 * test-order.c - rows are permutations, rings never fall, and near is near
 */
#include "tap.h"

#include "order.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct place *places;
static struct order order;

static void make(const char *machine, const char *cpus, int n)
{
    int err = topo_load_from(&(struct topo_source){.machine = machine, .cpus = cpus});
    if (err)
        bail("%s: %s", machine, strerror(-err));
    if (n == 0)
        n = topo_get()->nslots;
    places = calloc((size_t)n, sizeof *places);
    if (!places || place_make(n, places) || order_make(topo_get(), places, n, &order))
        bail("cannot make an order of %d", n);
}

static void drop(void)
{
    order_free(&order);
    free(places);
    topo_unload();
}

/* Each row has all others once; rings are sorted, and agree between the two
 * ends below RING_FAR. */
static void properties(const char *what)
{
    int n = order.n;
    bool permutation = true, sorted = true, same_node = true, mutual = true;
    char *met = calloc((size_t)n, 1);
    uint8_t *ring_of = calloc((size_t)n * (size_t)n, 1);
    if (!met || !ring_of)
        bail("no memory");
    for (int k = 0; k < n; k++) {
        const uint16_t *row = order_row(&order, k);
        const uint8_t *ring = order_rings(&order, k);
        memset(met, 0, (size_t)n);
        met[k] = 1;
        for (int i = 0; i < n - 1; i++) {
            permutation &= row[i] < n && !met[row[i]]++;
            sorted &= i == 0 || ring[i - 1] <= ring[i];
            same_node &= (ring[i] < RING_FAR) == (places[k].node == places[row[i]].node);
            ring_of[k * n + row[i]] = ring[i];
        }
    }
    for (int a = 0; a < n; a++)
        for (int b = 0; b < a; b++)
            mutual &= ring_of[a * n + b] >= RING_FAR || ring_of[a * n + b] == ring_of[b * n + a];
    ok(permutation, "%s: each row has every other once", what);
    ok(sorted, "%s: rings never fall", what);
    ok(same_node, "%s: far rings are other nodes, and only those", what);
    ok(mutual, "%s: nearness on a node is mutual", what);
    free(met);
    free(ring_of);
}

static void check_machine(const char *machine, const char *cpus, int n)
{
    char what[128];
    snprintf(what, sizeof what, "%s [%s] x %d", machine, cpus ? cpus : "all", n);
    make(machine, cpus, n);
    properties(what);
    drop();
}

static void rings(void)
{
    make("numa:2 l3:2 l2:2 core:2 pu:2", NULL, 0);
    is_int(order.n, 32, "32 places");
    const uint8_t *ring = order_rings(&order, 0);
    int count[RING_FAR + 2] = {0};
    for (int i = 0; i < 31; i++)
        count[ring[i] <= RING_FAR ? ring[i] : RING_FAR + 1]++;
    is_int(count[RING_CORE], 1, "one sibling");
    is_int(count[RING_L2], 2, "two threads of the core with the same L2");
    is_int(count[RING_L3], 4, "four more under the same L3");
    is_int(count[RING_NODE], 8, "eight more on the node");
    is_int(count[RING_FAR], 16, "sixteen on the other");
    is_int(count[RING_FAR + 1], 0, "and nobody further away");
    is_int(places[order_row(&order, 0)[0]].core, places[0].core, "the sibling comes first");
    drop();
}

/* Neighbours begin with different victims, or the first one is robbed by all. */
static void spread(void)
{
    make("numa:1 core:8 pu:1", NULL, 0);
    char first[8] = {0};
    int different = 0;
    for (int k = 0; k < 8; k++)
        different += !first[order_row(&order, k)[0]]++;
    is_int(different, 8, "each of eight equals begins with another one");
    drop();
}

static void limits(void)
{
    struct order o;
    make("numa:1 core:2 pu:1", NULL, 1);
    properties("one place");
    is_int(order_make(topo_get(), places, 0, &o), -EINVAL, "no place is wrong");
    is_int(order_make(topo_get(), places, 65536, &o), -EINVAL, "more than an index can say, too");
    drop();
}

int main(void)
{
    rings();
    spread();
    check_machine("numa:1 core:1 pu:1", NULL, 0);
    check_machine("numa:1 core:4 pu:2", "1,3-6", 0);
    check_machine("numa:1 core:2 pu:2", NULL, 11);
    check_machine("pack:2 numa:2 l3:1 core:3 pu:1", NULL, 0);
    check_machine("pack:2 numa:2 l3:1 core:3 pu:1", "0,5,7,11", 9);
    check_machine("numa:8 core:8 pu:2", NULL, 0);
    limits();
    return done_testing();
}
