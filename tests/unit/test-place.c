/* SPDX-License-Identifier: BSD-3-Clause
 * test-place.c - who goes where, and what `auto` means
 */
#include "tap.h"

#include "place.h"
#include "topo.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void load(const char *machine, const char *root)
{
    int err = topo_load_from(&(struct topo_source){.machine = machine, .cgroup_root = root});
    if (err)
        bail("%s: %s", machine, strerror(-err));
}

static void cores_first(void)
{
    struct place p[20];
    load("numa:2 core:2 pu:2", NULL);
    is_int(place_make(8, p), 0, "as many places as slots");
    ok(p[0].core == 0 && p[1].core == 1 && p[2].core == 2 && p[3].core == 3, "cores first");
    ok(p[0].node == 0 && p[1].node == 0 && p[2].node == 1, "the near node before the far one");
    ok(p[4].core == 0 && p[7].core == 3, "then the siblings");
    is_int(place_make(20, p), 0, "more places than slots");
    bool wraps = true;
    for (int i = 8; i < 20; i++)
        wraps &= p[i].cpu == p[i - 8].cpu && p[i].slot == p[i - 8].slot;
    ok(wraps, "wrap around");
    is_int(place_make(0, p), -EINVAL, "none is wrong");
    topo_unload();
    is_int(place_make(1, p), -ESHUTDOWN, "nothing loaded");
}

static void automatic(void)
{
    is_int(place_mode(BIND_AUTO, 1), BIND_NONE, "nothing loaded: not bound");
    load("numa:1 core:4 pu:2", NULL);
    is_int(place_mode(BIND_AUTO, 8), BIND_CORE, "all cpus used: cores");
    is_int(place_mode(BIND_AUTO, 7), BIND_NODE, "one fewer: nodes");
    is_int(place_mode(BIND_AUTO, 9), BIND_NODE, "one more: nodes");
    is_int(place_mode(BIND_PU, 3), BIND_PU, "what is asked for is what is done");
    is_str(place_mode_why(BIND_PU, 3), "asked for", "and said so");
    topo_unload();
}

/* A tree with one group that may use so much time of each 100 ms. */
static void quota_root(char *dir, const char *quota)
{
    char name[256];
    const char *dirs[] = {"/proc", "/proc/self", "/cg"};
    for (int i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "%s%s", dir, dirs[i]);
        mkdir(name, 0700);
    }
    const char *files[][2] = {{"/proc/self/cgroup", "0::/\n"},
                              {"/proc/self/mountinfo", "30 1 0:2 / /cg rw - cgroup2 x rw\n"},
                              {"/cg/cpu.max", quota}};
    for (int i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "%s%s", dir, files[i][0]);
        FILE *f = fopen(name, "w");
        if (!f || fputs(files[i][1], f) < 0 || fclose(f))
            bail("cannot write %s", name);
    }
}

static void remove_root(const char *dir)
{
    const char *all[] = {"/proc/self/cgroup", "/proc/self/mountinfo", "/cg/cpu.max",
                         "/proc/self", "/proc", "/cg", ""};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        char name[256];
        snprintf(name, sizeof name, "%s%s", dir, all[i]);
        remove(name);
    }
}

static void under_quota(const char *quota, int procs, enum bind_mode mode)
{
    char dir[] = "/tmp/quoit-place-XXXXXX";
    if (!mkdtemp(dir))
        bail("no temporary directory");
    quota_root(dir, quota);
    load("numa:1 core:4 pu:1", dir);
    is_int(topo_procs(), procs, "%.*s: %d runners", (int)strcspn(quota, "\n"), quota, procs);
    is_int(place_mode(BIND_AUTO, topo_procs()), mode, "bound to %s", bind_mode_name(mode));
    topo_unload();
    remove_root(dir);
}

static void names(void)
{
    for (int mode = BIND_AUTO; mode <= BIND_NONE; mode++)
        is_int(bind_mode_parse(bind_mode_name((enum bind_mode)mode)), mode, "%s is read back",
               bind_mode_name((enum bind_mode)mode));
    is_int(bind_mode_parse("cores"), -EINVAL, "other names are wrong");
}

int main(void)
{
    cores_first();
    automatic();
    under_quota("max 100000\n", 4, BIND_CORE);
    under_quota("400000 100000\n", 4, BIND_CORE);
    under_quota("900000 100000\n", 4, BIND_CORE);
    under_quota("350000 100000\n", 4, BIND_NODE);
    under_quota("150000 100000\n", 2, BIND_NODE);
    under_quota("1000 100000\n", 1, BIND_NODE);
    names();
    return done_testing();
}
