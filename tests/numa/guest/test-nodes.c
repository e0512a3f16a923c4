/* SPDX-License-Identifier: BSD-3-Clause
 * test-nodes.c - on a machine with real nodes: where threads run and where memory is
 *
 *     test-nodes DISTANCE...   the table that the machine was started with, row by row
 *
 * Everything is asked of the kernel again: the cpu a thread is on, the node a
 * page is on.
 */
#include "tap.h"

#include "bind.h"
#include "mem.h"
#include "order.h"
#include "topo.h"

#include <errno.h>
#include <numaif.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { BYTES = 1 << 20 };

static int node_of_page(void *p)
{
    int node = -1;
    if (get_mempolicy(&node, NULL, 0, p, MPOL_F_NODE | MPOL_F_ADDR))
        return -errno;
    return node;
}

static int node_here(void)
{
    unsigned cpu, node;
    return syscall(SYS_getcpu, &cpu, &node, NULL) ? -errno : (int)node;
}

static void table(const struct topo *t, char **want)
{
    bool same = true;
    for (int i = 0; i < t->nnodes * t->nnodes; i++)
        same &= t->distance[i] == atoi(want[i]);
    ok(same, "distances are those of the machine");
}

static void threads(const struct topo *t)
{
    struct place *p = calloc((size_t)t->nslots, sizeof *p);
    if (!p || place_make(t->nslots, p))
        bail("no places");
    for (int k = 0; k < t->nslots; k++) {
        bind_thread(BIND_CORE, &p[k]);
        is_int(node_here(), t->node_os[p[k].node], "bound to slot %d, on its node", k);
        bind_thread(BIND_PU, &p[k]);
        is_int(sched_getcpu(), p[k].cpu, "bound to its hardware thread, on its cpu");
    }
    for (int node = 0; node < t->nnodes; node++) {
        bind_thread_node(node);
        is_int(node_here(), t->node_os[node], "bound to node %d, there", node);
    }
    bind_thread_process();
    free(p);
}

/* Touched from the next node, so that the first touch alone would be wrong. */
static void memory(const struct topo *t)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    for (int node = 0; node < t->nnodes; node++) {
        int toucher = (node + 1) % t->nnodes;
        char *bound = mem_reserve(BYTES, 0, node), *any = mem_reserve(BYTES, 0, -1);
        if (!bound || !any)
            bail("no memory");
        bind_thread_node(toucher);
        memset(bound, 1, BYTES);
        memset(any, 1, BYTES);
        int right = 0;
        for (size_t at = 0; at < BYTES; at += page)
            right += node_of_page(bound + at) == t->node_os[node];
        is_int(right, BYTES / (int)page, "every page for node %d is there", node);
        is_int(node_of_page(any), t->node_os[toucher], "one for any node is where it was touched");
        mem_release(bound, BYTES);
        mem_release(any, BYTES);
    }
    bind_thread_process();
    ok(!mem_bind_refused(), "binding was never refused");
}

/* The nearest other node by the kernel's table comes first. */
static void nearest(const struct topo *t)
{
    int n = t->nslots;
    struct place *p = calloc((size_t)n, sizeof *p);
    struct order o;
    if (!p || place_make(n, p) || order_make(t, p, n, &o))
        bail("no order");
    for (int k = 0; k < n; k++) {
        int i = 0, least = 255;
        while (order_rings(&o, k)[i] < RING_FAR)
            i++;
        for (int node = 0; node < t->nnodes; node++)
            if (node != p[k].node && topo_distance(t, p[k].node, node) < least)
                least = topo_distance(t, p[k].node, node);
        is_int(topo_distance(t, p[k].node, p[order_row(&o, k)[i]].node), least,
               "slot %d goes to the nearest node first", k);
    }
    order_free(&o);
    free(p);
}

int main(int argc, char **argv)
{
    if (topo_load() || bind_save())
        bail("this machine cannot be loaded");
    const struct topo *t = topo_get();
    diag("%d cpus, %d nodes", t->nslots, t->nnodes);
    is_int(t->nnodes * t->nnodes, argc - 1, "as many nodes as the machine was started with");
    if (t->nnodes * t->nnodes != argc - 1)
        return done_testing();
    table(t, argv + 1);
    threads(t);
    memory(t);
    nearest(t);
    bind_forget();
    topo_unload();
    return done_testing();
}
