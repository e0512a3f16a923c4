/* SPDX-License-Identifier: BSD-3-Clause
 * test-place.c - places on recorded machines
 *
 *     test-place MACHINES   the directory of XML files
 */
#include "tap.h"

#include "place.h"
#include "topo.h"

#include <stdio.h>
#include <string.h>

static struct place p[64];

static void load(const char *dir, const char *name, const char *cpus, int n)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    if (topo_load_from(&(struct topo_source){.machine = path, .cpus = cpus}) || place_make(n, p))
        bail("cannot load %s", path);
}

static void two_sockets(const char *dir)
{
    load(dir, "two-sockets-smt.xml", NULL, 16);
    const struct topo *t = topo_get();
    is_int(t->nslots, 16, "16 slots");
    bool first = true, second = true;
    for (int i = 0; i < 8; i++) {
        first &= p[i].cpu == i && p[i].node == i / 4;
        second &= p[8 + i].cpu == 8 + i && p[8 + i].core == p[i].core;
    }
    ok(first, "the first eight are cpus 0 to 7, one socket after the other");
    ok(second, "the next eight their siblings");
    is_int(topo_distance(t, 0, 1), 21, "the recorded distance");
    is_int(place_mode(BIND_AUTO, 16), BIND_CORE, "the whole machine binds to cores");
    is_int(place_mode(BIND_AUTO, 8), BIND_NODE, "half of it to nodes");
    topo_unload();

    load(dir, "two-sockets-smt.xml", "2-3,10,12-15", 7);
    is_int(p[0].cpu, 2, "with holes: the first allowed cpu");
    is_int(p[2].cpu, 12, "then the other socket's, though they are second threads elsewhere");
    is_int(p[6].cpu, 10, "and the only sibling last");
    topo_unload();
}

static void four_nodes(const char *dir)
{
    load(dir, "four-nodes-uneven.xml", NULL, 16);
    const int nodes[] = {0, 1, 2, 3};
    for (int i = 0; i < 4; i++)
        is_int(p[4 * i].node, nodes[i], "from node 0 on they lie by distance: %d", nodes[i]);
    is_int(topo_get()->node_bytes[2] >> 30, 29, "memory of a node is told");
    topo_unload();
}

static void big_and_small(const char *dir)
{
    load(dir, "big-and-small.xml", NULL, 8);
    is_int(p[0].cpu, 4, "fast cores come first");
    is_int(p[4].cpu, 0, "slow ones after them");
    topo_unload();
}

int main(int argc, char **argv)
{
    const char *dir = argc > 1 ? argv[1] : "tests/numa/machines";
    two_sockets(dir);
    four_nodes(dir);
    big_and_small(dir);
    return done_testing();
}
