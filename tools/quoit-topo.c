/* SPDX-License-Identifier: BSD-3-Clause
 * quoit-topo.c - the machine as Quoit sees it: where P's would sit, and whom
 * each would steal from
 *
 * Asks the same functions that the library asks at its start, so what it prints
 * is what would happen in a process with the same mask, cgroup and environment.
 * Starts no scheduler.
 */
#include "quoit.h"

#include "mem.h"
#include "order.h"
#include "place.h"
#include "probe.h"
#include "topo.h"

#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BAD_INPUT = 2, PROCS_MOST = 1024 };

/* Seen by libc, or there is no --version. */
__attribute__((visibility("default"))) const char *argp_program_version =
    "quoit-topo " QUOIT_VERSION;

struct wish {
    struct topo_source from;
    int procs; /* 0: as by default */
    enum bind_mode mode;
    const char *procs_from; /* who said so */
};

/* 1 to PROCS_MOST, else 0. */
static int read_procs(const char *text)
{
    char *end;
    long n = strtol(text, &end, 10);
    return end == text || *end || n < 1 || n > PROCS_MOST ? 0 : (int)n;
}

static void read_environment(struct wish *w)
{
    const char *procs = getenv("GOMAXPROCS"), *mode = getenv("QUOIT_BIND");
    w->procs = procs && *procs ? read_procs(procs) : 0;
    w->procs_from = w->procs ? "GOMAXPROCS" : "by default";
    if (procs && *procs && !w->procs)
        fprintf(stderr, "quoit-topo: GOMAXPROCS=%s is not a number from 1 to %d: "
                        "using the default\n", procs, PROCS_MOST);
    int parsed = mode && *mode ? bind_mode_parse(mode) : BIND_AUTO;
    w->mode = parsed < 0 ? BIND_AUTO : (enum bind_mode)parsed;
    if (parsed < 0)
        fprintf(stderr, "quoit-topo: QUOIT_BIND=%s is not one of auto, core, pu, node, none: "
                        "using auto\n", mode);
}

static const struct argp_option options[] = {
    {"procs", 'n', "N", 0, "Show N P's, instead of GOMAXPROCS or the default", 0},
    {"bind", 'b', "MODE", 0, "Bind to core, pu, node, none or auto, instead of QUOIT_BIND", 0},
    {"machine", 'm', "MACHINE", 0,
     "Show another machine: an hwloc XML file or synthetic description", 0},
    {"cpus", 'c', "LIST", 0, "Of that machine allow only these cpus, such as 0-3,8", 0},
    {0},
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    struct wish *w = state->input;
    int mode;
    switch (key) {
    case 'n':
        w->procs = read_procs(arg);
        w->procs_from = "asked for";
        if (!w->procs)
            argp_error(state, "%s: not a number from 1 to %d", arg, PROCS_MOST);
        return 0;
    case 'b':
        mode = bind_mode_parse(arg);
        if (mode < 0)
            argp_error(state, "%s: not core, pu, node, none or auto", arg);
        else
            w->mode = (enum bind_mode)mode;
        return 0;
    case 'm':
        w->from.machine = arg;
        return 0;
    case 'c':
        w->from.cpus = arg;
        return 0;
    case ARGP_KEY_END:
        if (w->from.cpus && !w->from.machine)
            argp_error(state, "--cpus goes with --machine; for this machine use taskset(1)");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp argp = {
    .options = options,
    .parser = parse,
    .doc = "Print the machine as Quoit sees it: cpus, nodes, where P's sit and in which order "
           "each steals from the others.",
};

/* Members of a set as "0-3,8"; `in` says of each number below `end` whether it
 * is one. */
static void print_list(const char *in, int end)
{
    const char *comma = "";
    for (int i = 0; i < end; i++) {
        if (!in[i])
            continue;
        int last = i;
        while (last + 1 < end && in[last + 1])
            last++;
        printf(last > i ? "%s%d-%d" : "%s%d", comma, i, last);
        comma = ",";
        i = last;
    }
}

static void print_quota(const struct topo *t)
{
    if (!t->quota_procs) {
        printf("quota     none\n");
        return;
    }
    printf("quota     %.2f cpus, from %s\n", (double)t->quota_us / (double)t->period_us,
           t->quota_file);
}

/* A page of each node is asked for, because only an attempt shows whether binding is allowed. */
static void print_memory(const struct topo *t, bool elsewhere)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    const char *says = "bound to the node of its P";
    if (elsewhere)
        says = "not tried on another machine";
    else if (t->nnodes == 1)
        says = "one node: nothing to bind";
    else
        for (int node = 0; node < t->nnodes; node++)
            mem_release(mem_reserve(page, 0, node), page);
    const char *refused = mem_bind_refused();
    printf("memory    %s\n", refused ? refused : says);
}

/* Asked of the kernel, so a made-up machine does not change it. */
static void print_io(void)
{
    const char *asked = getenv("QUOIT_IO");
    struct probe p;

    if (asked && strcmp(asked, "posix") == 0) {
        printf("io        posix, by QUOIT_IO\n");
        return;
    }
    probe_rings_as(&p, getenv("QUOIT_EXPERIMENT"));
    printf("io        %s%s\n", p.how, p.why);
}

static void print_nodes(const struct topo *t, char *set)
{
    printf("\nnode  kernel's      memory  distances, cpus\n");
    for (int node = 0; node < t->nnodes; node++) {
        printf("%4d  %8d  %6.1f GiB ", node, t->node_os[node],
               (double)t->node_bytes[node] / (1 << 30));
        for (int to = 0; to < t->nnodes; to++)
            printf(" %d", topo_distance(t, node, to));
        memset(set, 0, (size_t)t->ncpus);
        for (int i = 0; i < t->nslots; i++)
            if (t->slots[i].node == node)
                set[t->slots[i].cpu] = 1;
        printf("  cpus ");
        print_list(set, t->ncpus);
        printf("\n");
    }
}

static void print_ring(const struct topo *t, const struct place *p, int ring, int from, int to)
{
    static const char *const names[] = {
        [RING_CORE] = "core", [RING_L2] = "L2", [RING_L3] = "L3", [RING_NODE] = "node",
    };
    if (ring < RING_FAR)
        printf("  %s ", names[ring]);
    else
        printf("  at %d ", topo_distance(t, p[from].node, p[to].node));
}

static void print_number(int n)
{
    if (n < 0)
        printf("   -");
    else
        printf("%4d", n);
}

/* Members of a ring are equals, so they are shown as a set. */
static void print_row(const struct topo *t, const struct place *p, const struct order *o, int k,
                      char *set)
{
    const uint16_t *row = order_row(o, k);
    const uint8_t *ring = order_rings(o, k);
    const struct slot *s = &t->slots[p[k].slot];
    printf("%4d %4d %4d %4d %4d", k, s->cpu, s->core, s->smt, s->node);
    print_number(s->l2);
    print_number(s->l3);
    for (int i = 0; i < o->n - 1;) {
        print_ring(t, p, ring[i], k, row[i]);
        memset(set, 0, (size_t)o->n);
        for (int first = i; i < o->n - 1 && ring[i] == ring[first]; i++)
            set[row[i]] = 1;
        print_list(set, o->n);
    }
    printf("\n");
}

static int print_all(const struct topo *t, const struct wish *w)
{
    int n = w->procs ? w->procs : topo_procs(), room = n > t->ncpus ? n : t->ncpus;
    struct place *p = calloc((size_t)n, sizeof *p);
    char *set = calloc((size_t)room, 1);
    struct order o = {0};
    int err = p && set ? place_make(n, p) : -ENOMEM;
    if (!err)
        err = order_make(t, p, n, &o);
    if (!err) {
        enum bind_mode mode = place_mode(w->mode, n);
        printf("machine   %s: %d cpus on %d cores, nodes: %d\n", t->origin, t->nslots, t->ncores,
               t->nnodes);
        print_quota(t);
        printf("P's       %d, %s\n", n, w->procs ? w->procs_from : "by default");
        printf("binding   %s, %s\n", bind_mode_name(mode), place_mode_why(w->mode, n));
        print_memory(t, w->from.machine);
        print_io();
        print_nodes(t, set);
        printf("\n   P  cpu core  thr node  L2  L3  steals from, near to far\n");
        for (int k = 0; k < n; k++)
            print_row(t, p, &o, k, set);
    }
    order_free(&o);
    free(p);
    free(set);
    return err;
}

int main(int argc, char **argv)
{
    struct wish w = {0};
    read_environment(&w);
    argp_err_exit_status = BAD_INPUT;
    argp_parse(&argp, argc, argv, 0, NULL, &w);
    int err = w.from.machine ? topo_load_from(&w.from) : topo_load();
    if (err == -EINVAL && w.from.machine) {
        fprintf(stderr, "quoit-topo: '%s'%s%s: neither an XML file nor a description that hwloc "
                        "can read, or none of the cpus is on it; try 'numa:2 core:4 pu:2'\n",
                w.from.machine, w.from.cpus ? " with cpus " : "", w.from.cpus ? w.from.cpus : "");
        return EXIT_FAILURE;
    }
    if (!err)
        err = print_all(topo_get(), &w);
    topo_unload();
    if (err)
        fprintf(stderr, "quoit-topo: %s\n", strerror(-err));
    return err || fflush(stdout) ? EXIT_FAILURE : EXIT_SUCCESS;
}
