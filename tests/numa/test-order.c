/* SPDX-License-Identifier: BSD-3-Clause
 * test-order.c - rings on recorded machines, where distances are uneven
 *
 *     test-order MACHINES   the directory of XML files
 */
#include "tap.h"

#include "order.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Far rings of each row rise exactly with the distance from its node. */
static bool follows_distance(const struct topo *t, const struct place *p, const struct order *o)
{
    for (int k = 0; k < o->n; k++) {
        const uint16_t *row = order_row(o, k);
        const uint8_t *ring = order_rings(o, k);
        for (int i = 1; i < o->n - 1; i++) {
            int before = topo_distance(t, p[k].node, p[row[i - 1]].node);
            int here = topo_distance(t, p[k].node, p[row[i]].node);
            if (here < before)
                return false;
            if (ring[i] > RING_FAR && (ring[i] == ring[i - 1]) != (here == before))
                return false;
        }
    }
    return true;
}

static bool complete(const struct order *o)
{
    for (int k = 0; k < o->n; k++) {
        long sum = k;
        for (int i = 0; i < o->n - 1; i++)
            sum += order_row(o, k)[i];
        if (sum != (long)o->n * (o->n - 1) / 2)
            return false;
    }
    return true;
}

static void machine(const char *dir, const char *name)
{
    char path[1024];
    struct order o;
    snprintf(path, sizeof path, "%s/%s", dir, name);
    if (topo_load_from(&(struct topo_source){.machine = path}))
        bail("cannot load %s", path);
    const struct topo *t = topo_get();
    for (int n = t->nslots; n < 3 * t->nslots; n += t->nslots + 1) {
        struct place *p = calloc((size_t)n, sizeof *p);
        if (!p || place_make(n, p) || order_make(t, p, n, &o))
            bail("%s: no order of %d", name, n);
        ok(complete(&o), "%s, %d places: rows are complete", name, n);
        ok(follows_distance(t, p, &o), "%s, %d places: nearer nodes come first", name, n);
        order_free(&o);
        free(p);
    }
    topo_unload();
}

/* Node 1's neighbours are 0 (16), 3 (22), 2 (28): not in the order of their numbers. */
static void uneven(const char *dir)
{
    char path[1024];
    struct place p[16];
    struct order o;
    snprintf(path, sizeof path, "%s/four-nodes-uneven.xml", dir);
    if (topo_load_from(&(struct topo_source){.machine = path}) || place_make(16, p) ||
        order_make(topo_get(), p, 16, &o))
        bail("cannot load %s", path);
    int k = 0;
    while (p[k].node != 1)
        k++;
    const uint16_t *row = order_row(&o, k);
    const uint8_t *ring = order_rings(&o, k);
    is_int(p[row[3]].node, 0, "after its own node the nearest");
    is_int(ring[3], RING_FAR, "which is the first far ring");
    is_int(p[row[7]].node, 3, "then the middling one");
    is_int(ring[7], RING_FAR + 1, "which is the second");
    is_int(p[row[11]].node, 2, "the furthest last");
    is_int(ring[14], RING_FAR + 2, "in the third");
    order_free(&o);
    topo_unload();
}

int main(int argc, char **argv)
{
    const char *dir = argc > 1 ? argv[1] : "tests/numa/machines";
    DIR *d = opendir(dir);
    if (!d)
        bail("no directory %s", dir);
    struct dirent *e;
    while ((e = readdir(d)))
        if (strstr(e->d_name, ".xml"))
            machine(dir, e->d_name);
    closedir(d);
    uneven(dir);
    return done_testing();
}
