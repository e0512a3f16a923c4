/* SPDX-License-Identifier: BSD-3-Clause
 * test-topo.c - machines described in a line each, this machine, and a machine
 * that nobody describes
 */
#include "tap.h"

#include "quoit_numa.h"
#include "place.h"
#include "topo.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Descriptions name a node each: where they do not, hwloc makes room for one by
 * a memcpy of overlapping parts, of which Valgrind complains. */
static const struct topo *load(const char *machine, const char *cpus)
{
    int err = topo_load_from(&(struct topo_source){.machine = machine, .cpus = cpus});
    if (err)
        bail("%s: %s", machine, strerror(-err));
    return topo_get();
}

/* Whatever the machine is. */
static void holds_together(const struct topo *t, const char *what)
{
    bool cpus = true, cores = true, nodes = true, masks = true, firsts = true;
    int smt_before = 0;
    for (int i = 0; i < t->nslots; i++) {
        const struct slot *s = &t->slots[i];
        size_t word = (size_t)s->cpu / 64;
        unsigned long bit = 1UL << (s->cpu % 64);
        cpus &= s->cpu < t->ncpus && t->cpu_slot[s->cpu] == i;
        cores &= s->core >= 0 && s->core < t->ncores;
        nodes &= s->node >= 0 && s->node < t->nnodes;
        masks &= (topo_core_mask(t, s->core)[word] & topo_node_mask(t, s->node)[word] &
                  topo_slot_mask(t, i)[word]) == bit;
        firsts &= s->smt >= smt_before;
        smt_before = s->smt;
    }
    ok(cpus, "%s: each cpu leads back to its slot", what);
    ok(cores && nodes, "%s: cores and nodes have no holes", what);
    ok(masks, "%s: a cpu is in the masks of its core and node, and alone in its own", what);
    ok(firsts, "%s: second hardware threads come last", what);
    for (int n = 0; n < t->nnodes; n++)
        is_int(topo_distance(t, n, n), 10, "%s: node %d is near itself", what, n);
}

static void siblings(void)
{
    const struct topo *t = load("numa:1 core:2 pu:2(indexes=0,2,1,3)", NULL);
    is_int(t->nslots, 4, "two cores of two threads are four slots");
    is_int(t->ncores, 2, "on two cores");
    is_int(t->slots[0].cpu, 0, "the first slot is on the first core");
    is_int(t->slots[1].cpu, 1, "the second on the second");
    is_int(t->slots[2].cpu, 2, "the third is the first's sibling");
    is_int(t->slots[2].core, t->slots[0].core, "on the same core");
    holds_together(t, "siblings");
    topo_unload();
}

static void holes(void)
{
    const struct topo *t = load("numa:2 core:4 pu:2", "1,3-5,14");
    is_int(t->nslots, 5, "only allowed cpus are slots");
    is_int(t->ncores, 4, "cores without an allowed cpu are not there");
    is_int(t->slots[0].cpu, 1, "a core's second thread is its first when the first is forbidden");
    is_int(t->slots[0].smt, 0, "and ranks so");
    is_int(t->slots[4].cpu, 5, "the sibling of 4 is the last");
    is_int(t->nnodes, 2, "both nodes are there");
    is_int(topo_distance(t, 0, 1), 20, "unknown distances are all alike");
    holds_together(t, "holes");
    topo_unload();

    t = load("numa:4 core:2 pu:1", "6");
    is_int(t->nslots, 1, "one cpu");
    is_int(t->nnodes, 1, "is one node");
    is_int(t->node_os[0], 3, "whichever it is for the kernel");
    is_int(topo_procs(), 1, "and room for one");
    holds_together(t, "one cpu");
    topo_unload();
}

static void wrong_sources(void)
{
    is_int(topo_load_from(&(struct topo_source){.machine = "moon:3"}), -EINVAL, "no such machine");
    struct topo_source two = {.machine = "numa:1 core:2 pu:1", .cpus = "9"};
    is_int(topo_load_from(&two), -EINVAL, "no allowed cpu on the machine");
    two.cpus = "x";
    is_int(topo_load_from(&two), -EINVAL, "not a list of cpus");
    ok(!topo_get(), "after a failure there is nothing");
    is_int(topo_procs(), 1, "and one runner");
    load("numa:1 core:2 pu:1", NULL);
    is_int(topo_load(), -EALREADY, "a second one is refused");
    topo_unload();
}

static void this_machine(void)
{
    cpu_set_t mask;
    is_int(topo_load(), 0, "this machine loads");
    const struct topo *t = topo_get();
    diag("%s: %d slots, %d cores, %d nodes", t->origin, t->nslots, t->ncores, t->nnodes);
    if (sched_getaffinity(0, sizeof mask, &mask) == 0)
        is_int(t->nslots, CPU_COUNT(&mask), "slots are the allowed cpus");
    else
        skip("more than 1024 cpus");
    ok(topo_procs() >= 1 && topo_procs() <= t->nslots, "runners are between 1 and the slots");
    holds_together(t, "this machine");
    topo_unload();
}

static void one_allowed(void)
{
    cpu_set_t all, one;
    if (sched_getaffinity(0, sizeof all, &all)) {
        skip("more than 1024 cpus");
        return;
    }
    int cpu = 0;
    while (!CPU_ISSET(cpu, &all))
        cpu++;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    sched_setaffinity(0, sizeof one, &one);
    is_int(topo_load(), 0, "loads on one allowed cpu");
    is_int(topo_get()->nslots, 1, "which is the only slot");
    is_int(topo_get()->slots[0].cpu, cpu, "with its number");
    topo_unload();
    sched_setaffinity(0, sizeof all, &all);
}

/* An empty directory as root: neither /sys nor /proc. */
static int in_empty_root(void)
{
    char dir[] = "/tmp/quoit-root-XXXXXX";
    if (!mkdtemp(dir))
        return 77;
    int left = chroot(dir) || chdir("/") ? 77 : 0;
    if (!left) {
        const struct topo *t;
        cpu_set_t mask;
        left = sched_getaffinity(0, sizeof mask, &mask) || topo_load() || !(t = topo_get()) ||
               t->nslots != CPU_COUNT(&mask) || t->nnodes != 1 || strncmp(t->origin, "affinity", 8);
        topo_unload();
    }
    return left;
}

static void without_sys(void)
{
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0)
        _exit(in_empty_root());
    int status = -1;
    waitpid(pid, &status, 0);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
        skip("chroot is not permitted");
    else
        is_int(status, 0, "without /sys and /proc: one node with the allowed cpus");
}

static void public_calls(void)
{
    int cpus[4] = {-1, -1, -1, -1};
    is_int(quoit_num_nodes(), -ESHUTDOWN, "nothing is known before the start");
    is_int(quoit_node_of_cpu(0), -ESHUTDOWN, "neither of cpus");
    is_int(quoit_node_cpus(0, cpus, 4), -ESHUTDOWN, "nor of nodes");
    load("numa:2 core:2 pu:2(indexes=0,4,1,5,2,6,3,7)", "0-3,6-7");
    is_int(quoit_num_nodes(), 2, "two nodes");
    is_int(quoit_node_distance(0, 1), 20, "apart");
    is_int(quoit_node_distance(0, 2), -EINVAL, "there is no third");
    is_int(quoit_node_distance(-1, 0), -EINVAL, "nor one below");
    is_int(quoit_node_of_cpu(7), 1, "cpu 7 is on the second");
    is_int(quoit_node_of_cpu(4), -ENXIO, "a forbidden cpu is nowhere");
    is_int(quoit_node_of_cpu(-1), -ENXIO, "a negative one too");
    is_int(quoit_node_of_cpu(4096), -ENXIO, "and one too far");
    is_int(quoit_node_cpus(1, cpus, 4), 4, "four cpus on the second");
    ok(cpus[0] == 2 && cpus[1] == 3 && cpus[2] == 6 && cpus[3] == 7, "in rising order");
    cpus[1] = -1;
    is_int(quoit_node_cpus(1, cpus, 1), 4, "a short array is filled, the number is told");
    is_int(cpus[1], -1, "and nothing stored behind it");
    is_int(quoit_node_cpus(1, NULL, 0), 4, "no array: the number");
    is_int(quoit_node_cpus(1, NULL, 3), -EINVAL, "no array with a size is wrong");
    is_int(quoit_node_cpus(1, cpus, -1), -EINVAL, "a negative size too");
    is_int(quoit_node_os(1), 1, "the kernel's number");
    topo_unload();
}

static unsigned long few[1];

/* As if the kernel had said so. */
static void adopt(unsigned long cpus, int quota_procs)
{
    struct topo_view v = {.mask = few, .bytes = sizeof few, .quota_procs = quota_procs,
                          .quota_us = quota_procs * 1000, .period_us = 1000};
    few[0] = cpus;
    topo_adopt(&v);
    ok(topo_is(&v), "what was adopted is so");
    few[0] ^= 1;
    ok(!topo_is(&v), "and another mask is not");
}

static void changes(void)
{
    struct place p[4];
    const struct topo *t = load("numa:1 core:4 pu:1", NULL);
    adopt(0xa, 0);
    is_int(topo_procs(), 2, "two of the cpus are left");
    is_int(place_make(4, p), 0, "places are made of those");
    ok(p[0].cpu == 1 && p[1].cpu == 3 && p[2].cpu == 1 && p[3].cpu == 3, "and of no others");
    is_int(place_mode(BIND_AUTO, 2), BIND_CORE, "who fills them is bound to cores");
    adopt(0xa, 1);
    is_int(topo_procs(), 1, "a quota bounds them");
    is_int(place_mode(BIND_AUTO, 2), BIND_NODE, "and loosens the binding");
    adopt(0xf0, 0);
    is_int(topo_procs(), 4, "cpus that nobody has heard of count");
    is_int(place_make(4, p), 0, "there is a place for each");
    is_int(place_mode(BIND_CORE, 4), BIND_NONE, "but nobody is bound");
    adopt(0xf, 0);
    is_int(topo_procs(), t->nslots, "all come back");
    is_int(place_mode(BIND_AUTO, 4), BIND_CORE, "with their binding");
    topo_unload();
}

static void write_file(const char *root, const char *path, const char *text)
{
    char name[256];
    snprintf(name, sizeof name, "%s/%s", root, path);
    FILE *f = fopen(name, "w");
    if (!f || fputs(text, f) < 0 || fclose(f))
        bail("cannot write %s", name);
}

static void limits_change(void)
{
    char root[] = "/tmp/quoit-topo-XXXXXX", name[64];
    static const char *const dirs[] = {"proc", "proc/self", "cg"};
    static const char *const files[] = {"proc/self/cgroup", "proc/self/mountinfo", "cg/cpu.max"};
    struct topo_view v;
    if (!mkdtemp(root))
        bail("no temporary directory");
    for (int i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "%s/%s", root, dirs[i]);
        mkdir(name, 0700);
    }
    write_file(root, files[0], "0::/\n");
    write_file(root, files[1], "30 22 0:26 / /cg rw - cgroup2 cgroup2 rw\n");
    write_file(root, files[2], "max 100000\n");
    if (topo_load_from(&(struct topo_source){.machine = "numa:1 core:4 pu:1", .cgroup_root = root}))
        bail("cannot be loaded");
    is_int(topo_view(&v), 0, "a look");
    ok(topo_is(&v), "nothing has changed");
    write_file(root, files[2], "150000 100000\n");
    is_int(topo_view(&v), 0, "the next one");
    ok(!topo_is(&v), "there is a limit now");
    is_int(topo_procs(), 4, "which is not in force");
    topo_adopt(&v);
    is_int(topo_procs(), 2, "until it is adopted, a fraction rounded up");
    write_file(root, files[2], "max 100000\n");
    is_int(topo_view(&v), 0, "the last one");
    topo_adopt(&v);
    is_int(topo_procs(), 4, "it is gone again");
    topo_view_free(&v);
    topo_unload();
    is_int(topo_view(&v), -ESHUTDOWN, "without a machine there is nothing to see");
    for (int i = 3; i-- > 0;) {
        snprintf(name, sizeof name, "%s/%s", root, files[i]);
        unlink(name);
    }
    for (int i = 3; i-- > 0;) {
        snprintf(name, sizeof name, "%s/%s", root, dirs[i]);
        rmdir(name);
    }
    rmdir(root);
}

int main(void)
{
    siblings();
    holes();
    changes();
    limits_change();
    wrong_sources();
    public_calls();
    this_machine();
    one_allowed();
    without_sys();
    return done_testing();
}
