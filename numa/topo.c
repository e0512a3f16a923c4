/* SPDX-License-Identifier: BSD-3-Clause
 * topo.c - builds struct topo out of what hwloc, the kernel and the cgroups say
 *
 * hwloc's own objects do not live on: the few numbers that matter are copied
 * out and its topology is destroyed before anything starts. Then struct topo is
 * sorted into slots and filled up in layout.c, which knows no hwloc.
 *
 * The affinity mask has the last word over hwloc. Cpus that hwloc does not know
 * (no /sys) become cores of their own on node 0; a pretended machine
 * (HWLOC_SYNTHETIC) keeps just the cpus that really exist. hwloc's x86
 * discovery is left out: it moves the calling thread over all cpus, which
 * disturbs whoever runs there and takes longer than all the rest, and tells
 * nothing that /sys does not.
 */
#include "topo.h"

#include "bind.h"
#include "cgroup.h"
#include "layout.h"

#include <errno.h>
#include <hwloc.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct topo *loaded;
static const char *groups; /* where the cgroups of the loaded one are, NULL: nowhere */
static bool ours;          /* it is this machine */

static int affinity(hwloc_bitmap_t out)
{
    unsigned long *mask;
    size_t bytes;
    int err = bind_read(&mask, &bytes);
    if (err)
        return err;
    const size_t bits = 8 * sizeof *mask;
    for (size_t cpu = 0; cpu < 8 * bytes; cpu++)
        if (mask[cpu / bits] >> (cpu % bits) & 1)
            hwloc_bitmap_set(out, (unsigned)cpu);
    free(mask);
    return 0;
}

/* Without it hwloc finds no more than the mask says, and complains on stderr, which is not ours. */
static bool described(void)
{
    return access("/sys/devices/system/cpu/cpu0/topology", F_OK) == 0 ||
           access("/sys/bus/cpu/devices/cpu0/topology", F_OK) == 0;
}

static int open_machine(const struct topo_source *from, hwloc_topology_t *out)
{
    hwloc_topology_t t;
    if (!(from && from->machine) && !described())
        return -ENOENT;
    if (hwloc_topology_init(&t))
        return -ENOMEM;
    hwloc_topology_set_components(t, HWLOC_TOPOLOGY_COMPONENTS_FLAG_BLACKLIST, "x86");
    int bad = 0;
    if (from && from->machine) {
        if (access(from->machine, R_OK) == 0)
            bad = hwloc_topology_set_xml(t, from->machine);
        else
            bad = hwloc_topology_set_synthetic(t, from->machine);
    }
    if (bad || hwloc_topology_load(t)) {
        hwloc_topology_destroy(t);
        return -EINVAL;
    }
    *out = t;
    return 0;
}

/* The node whose memory is local to a hardware thread: the one with the fewest
 * cpus around it, and of several kinds of memory there the first, which is the
 * ordinary one. NULL: none that we may use. */
static hwloc_obj_t node_of(hwloc_topology_t t, unsigned cpu)
{
    hwloc_obj_t node = NULL, best = NULL;
    while ((node = hwloc_get_next_obj_by_type(t, HWLOC_OBJ_NUMANODE, node))) {
        if (!hwloc_bitmap_isset(node->cpuset, cpu))
            continue;
        if (!best || hwloc_bitmap_weight(node->cpuset) < hwloc_bitmap_weight(best->cpuset))
            best = node;
    }
    return best;
}

static int ancestor(hwloc_topology_t t, hwloc_obj_type_t type, hwloc_obj_t pu)
{
    hwloc_obj_t up = hwloc_get_ancestor_obj_by_type(t, type, pu);
    return up ? (int)up->logical_index : -1;
}

static void look_at(hwloc_topology_t t, hwloc_obj_t pu, struct found *f)
{
    hwloc_obj_t node = node_of(t, pu->os_index);
    int kind = hwloc_cpukinds_get_by_cpuset(t, pu->cpuset, 0);
    *f = (struct found){
        .cpu = (int)pu->os_index,
        .core = ancestor(t, HWLOC_OBJ_CORE, pu),
        .l2 = ancestor(t, HWLOC_OBJ_L2CACHE, pu),
        .l3 = ancestor(t, HWLOC_OBJ_L3CACHE, pu),
        .node_os = node ? (int)node->os_index : -1,
        .node_bytes = node ? node->attr->numanode.local_memory : 0,
        .speed = kind < 0 ? 0 : kind,
    };
}

/* All allowed cpus, in hwloc's order, so that siblings and neighbours stand
 * together; then those that hwloc does not know. */
static struct found *look(hwloc_topology_t t, hwloc_const_bitmap_t allowed, bool real, int *n)
{
    int room = hwloc_bitmap_weight(allowed);
    if (t && room < 0)
        room = hwloc_get_nbobjs_by_type(t, HWLOC_OBJ_PU);
    struct found *all = calloc((size_t)room + 1, sizeof *all);
    if (!all)
        return NULL;
    hwloc_obj_t pu = NULL;
    *n = 0;
    while (t && *n < room && (pu = hwloc_get_next_obj_by_type(t, HWLOC_OBJ_PU, pu)))
        if (hwloc_bitmap_isset(allowed, pu->os_index))
            look_at(t, pu, &all[(*n)++]);
    int cpu = real ? hwloc_bitmap_first(allowed) : -1;
    for (; cpu >= 0; cpu = hwloc_bitmap_next(allowed, cpu))
        if (!t || !hwloc_get_pu_obj_by_os_index(t, (unsigned)cpu))
            all[(*n)++] = (struct found){.cpu = cpu, .core = -1, .l2 = -1, .l3 = -1, .node_os = -1};
    return all;
}

/* The firmware's table; where there is none, all others are equally far. */
static void take_distances(hwloc_topology_t t, struct topo *tp)
{
    unsigned n = 1;
    struct hwloc_distances_s *d;
    if (hwloc_distances_get_by_type(t, HWLOC_OBJ_NUMANODE, &n, &d,
                                    HWLOC_DISTANCES_KIND_MEANS_LATENCY, 0) || n == 0)
        return;
    for (unsigned i = 0; i < d->nbobjs; i++) {
        for (unsigned j = 0; j < d->nbobjs; j++) {
            int from = layout_node(tp, (int)d->objs[i]->os_index);
            int to = layout_node(tp, (int)d->objs[j]->os_index);
            if (from >= 0 && to >= 0)
                tp->distance[from * tp->nnodes + to] = (int)d->values[i * d->nbobjs + j];
        }
    }
    hwloc_distances_release(t, d);
}

static const char *origin(hwloc_topology_t t, const struct topo_source *from)
{
    if (from && from->machine)
        return "as given";
    if (!t || !hwloc_obj_get_info_by_name(hwloc_get_root_obj(t), "Backend"))
        return "affinity mask only, /sys cannot be read";
    return hwloc_topology_is_thissystem(t) ? "this machine" : "pretended by HWLOC_* variables";
}

static int take_quota(struct topo *tp, const char *root)
{
    struct cgroup_quota q;
    groups = root;
    if (!root || !cgroup_quota(root, &q))
        return 0;
    tp->quota_us = q.quota_us;
    tp->period_us = q.period_us;
    tp->quota_procs = cgroup_procs(&q);
    tp->quota_file = strdup(q.file);
    return tp->quota_file ? 0 : -ENOMEM;
}

static int allowed_cpus(const struct topo_source *from, hwloc_bitmap_t out)
{
    if (!from || !from->machine)
        return affinity(out);
    if (!from->cpus) {
        hwloc_bitmap_fill(out);
        return 0;
    }
    return hwloc_bitmap_list_sscanf(out, from->cpus) || hwloc_bitmap_iszero(out) ? -EINVAL : 0;
}

static int build(const struct topo_source *from, hwloc_bitmap_t allowed, struct topo *tp)
{
    bool real = ours = !from || !from->machine;
    hwloc_topology_t t = NULL;
    int err = open_machine(from, &t);
    if (err && !real)
        return err;
    int n;
    struct found *all = look(t, allowed, real, &n);
    err = !all ? -ENOMEM : n == 0 ? -EINVAL : layout_nodes(tp, all, n);
    if (!err && t)
        take_distances(t, tp);
    if (!err)
        err = layout_slots(tp, all, n, real ? sched_getcpu() : -1);
    tp->origin = origin(t, from);
    free(all);
    if (t)
        hwloc_topology_destroy(t);
    return err ? err : take_quota(tp, from ? from->cgroup_root : "");
}

int topo_load_from(const struct topo_source *from)
{
    if (loaded)
        return -EALREADY;
    struct topo *tp = calloc(1, sizeof *tp);
    hwloc_bitmap_t allowed = hwloc_bitmap_alloc();
    int err = tp && allowed ? allowed_cpus(from, allowed) : -ENOMEM;
    if (!err)
        err = build(from, allowed, tp);
    hwloc_bitmap_free(allowed);
    if (err)
        layout_free(tp);
    else
        loaded = tp;
    return err;
}

int topo_load(void)
{
    return topo_load_from(NULL);
}

void topo_unload(void)
{
    struct topo *old = loaded;
    loaded = NULL; /* first: a child made by fork in between may do this again */
    layout_free(old);
}

const struct topo *topo_get(void)
{
    return loaded;
}

int topo_procs(void)
{
    if (!loaded)
        return 1;
    int quota = loaded->quota_procs;
    return quota && quota < loaded->nallowed ? quota : loaded->nallowed;
}

bool topo_quota_tight(const struct topo *t)
{
    return t->quota_procs && t->quota_us < t->nallowed * t->period_us;
}

/* ---- changes -------------------------------------------------------------------------------- */

int topo_view(struct topo_view *v)
{
    struct cgroup_quota q;
    int err = 0;
    *v = (struct topo_view){0};
    if (!loaded)
        return -ESHUTDOWN;
    if (ours)
        err = bind_read(&v->mask, &v->bytes);
    if (!err && groups && cgroup_quota(groups, &q)) {
        v->quota_us = q.quota_us;
        v->period_us = q.period_us;
        v->quota_procs = cgroup_procs(&q);
    }
    return err;
}

void topo_view_free(struct topo_view *v)
{
    free(v->mask);
    v->mask = NULL;
}

static bool has(const struct topo_view *v, size_t cpu)
{
    const size_t bits = 8 * sizeof *v->mask;
    return cpu < 8 * v->bytes && v->mask[cpu / bits] >> (cpu % bits) & 1;
}

static int count(const struct topo_view *v)
{
    int n = 0;
    for (size_t i = 0; i < v->bytes / sizeof *v->mask; i++)
        n += __builtin_popcountl(v->mask[i]);
    return n;
}

static bool same_mask(const struct topo_view *v)
{
    if (!v->mask)
        return true;
    for (int i = 0; i < loaded->nslots; i++)
        if (has(v, (size_t)loaded->slots[i].cpu) != loaded->slots[i].usable)
            return false;
    return count(v) == loaded->nallowed;
}

bool topo_is(const struct topo_view *v)
{
    return v->quota_us == loaded->quota_us && v->period_us == loaded->period_us && same_mask(v);
}

void topo_adopt(const struct topo_view *v)
{
    loaded->quota_procs = v->quota_procs;
    loaded->quota_us = v->quota_us;
    loaded->period_us = v->period_us;
    if (!v->mask)
        return;
    loaded->nallowed = count(v);
    loaded->nusable = 0;
    for (int i = 0; i < loaded->nslots; i++) {
        loaded->slots[i].usable = has(v, (size_t)loaded->slots[i].cpu);
        loaded->nusable += loaded->slots[i].usable;
    }
}
