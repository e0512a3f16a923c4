/* SPDX-License-Identifier: BSD-3-Clause
 * topo.h - the machine, as far as this process may use it
 *
 * Built once at start-up by one thread, then never changed, so everybody reads
 * it without a lock; but for what topo_adopt changes. It holds only cpus that
 * the process may run on (affinity mask, cpuset); what lies outside is not
 * there.
 *
 * Two kinds of numbers: a `cpu` is what the kernel calls it, with holes; slots,
 * cores, nodes and cache groups are dense and ours. The k-th slot is where the
 * k-th runner goes: first one hardware thread of every core, nearest nodes
 * first, then the siblings. The first node is the one on which topo_load was
 * called, because the memory of the process lies there already.
 *
 * Also the only door to hwloc (topo.c); nothing of it is seen here.
 */
#ifndef QUOIT_NUMA_TOPO_H
#define QUOIT_NUMA_TOPO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct slot {
    int cpu;    /* the kernel's number of a hardware thread */
    int core;   /* 0..ncores-1 */
    int node;   /* 0..nnodes-1, in the order of the kernel's numbers */
    int l2, l3; /* which cache; -1 where nobody knows */
    int smt;    /* 0 for the first allowed hardware thread of its core, 1 for the next, ... */
    bool usable; /* may be used still: see topo_adopt */
};

struct topo {
    int nslots, ncores, nnodes; /* each at least 1 */
    struct slot *slots;

    int *node_os;         /* the kernel's number of each node */
    int *distance;        /* nnodes rows of nnodes: as the firmware tells it, 10 is local */
    uint64_t *node_bytes; /* memory of each node, 0 where unknown */

    int ncpus;     /* all cpu numbers are below this */
    int *cpu_slot; /* cpu -> slot, or -1 */

    size_t mask_bytes; /* of each mask below, as sched_setaffinity takes it */
    unsigned long *slot_masks, *core_masks, *node_masks;

    int nallowed, nusable; /* cpus that may be used, and those of them that are slots: nslots */
    int quota_procs;              /* tightest cpu quota, a fraction rounded up; 0: none */
    int64_t quota_us, period_us;  /* that quota */
    char *quota_file;             /* where it stands, or NULL */
    const char *origin;           /* where the knowledge comes from; static text */
};

/* Where a test or a tool may take the machine from instead. */
struct topo_source {
    const char *machine;     /* an hwloc synthetic string or the name of an XML file */
    const char *cpus;        /* which cpus are allowed, as "0-3,8"; NULL: all of them */
    const char *cgroup_root; /* a directory that holds proc/ and sys/; NULL: no quota */
};

/* Builds it; 0, -ENOMEM, or -EALREADY when it stands. A machine that cannot be
 * described (no /sys, no /proc) is one node with the cpus of the calling
 * thread's affinity mask. */
int topo_load(void);
/* The same from elsewhere; also -EINVAL (a wrong machine, or no cpu left of it). */
int topo_load_from(const struct topo_source *from);
/* What the process may use in this moment; the mask belongs to it. */
struct topo_view {
    unsigned long *mask; /* NULL: of a machine from elsewhere */
    size_t bytes;
    int quota_procs;
    int64_t quota_us, period_us;
};

/* As seen from the calling thread, which was never bound: the kernel keeps its mask to the cpuset.
 * About 0.1 ms. 0, -ENOMEM or another -errno; then it holds nothing. */
int topo_view(struct topo_view *v);
void topo_view_free(struct topo_view *v);
/* Does the topology say the same? One thread at a time for this and the next. */
bool topo_is(const struct topo_view *v);
/* It does from now on, while nobody asks it for more than what never changes. Cpus that were not
 * there at the start count, but nothing is known of them. */
void topo_adopt(const struct topo_view *v);

/* Everything given back; nobody may still hold what topo_get returned. */
void topo_unload(void);

/* NULL when it does not stand. */
const struct topo *topo_get(void);

/* The default number of runners: the allowed cpus, bounded by the quota; at least 1. */
int topo_procs(void);

/* Is the quota less than the slots could use? Then time runs out before the cpus do. */
bool topo_quota_tight(const struct topo *t);

static inline const unsigned long *topo_slot_mask(const struct topo *t, int slot)
{
    return t->slot_masks + (size_t)slot * (t->mask_bytes / sizeof(unsigned long));
}

static inline const unsigned long *topo_core_mask(const struct topo *t, int core)
{
    return t->core_masks + (size_t)core * (t->mask_bytes / sizeof(unsigned long));
}

static inline const unsigned long *topo_node_mask(const struct topo *t, int node)
{
    return t->node_masks + (size_t)node * (t->mask_bytes / sizeof(unsigned long));
}

static inline int topo_distance(const struct topo *t, int from, int to)
{
    return t->distance[from * t->nnodes + to];
}

#endif
