/* SPDX-License-Identifier: BSD-3-Clause
 * test-cgroup.c - limits found in made-up trees
 */
#include "tap.h"

#include "cgroup.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[] = "/tmp/quoit-cgroup-XXXXXX";
static struct cgroup_quota q;

/* A file with its directories, below the root. */
static void put(const char *path, const char *text)
{
    char name[512];
    int n = snprintf(name, sizeof name, "%s%s", root, path);
    for (char *p = name + sizeof root; (p = strchr(p, '/')); p++) {
        *p = '\0';
        mkdir(name, 0700);
        *p = '/';
    }
    FILE *f = n < (int)sizeof name ? fopen(name, "w") : NULL;
    if (!f || fputs(text, f) < 0 || fclose(f))
        bail("cannot write %s", name);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st, (void)type, (void)ftw;
    return remove(path);
}

static void begin(void)
{
    strcpy(root + sizeof root - 7, "XXXXXX");
    if (!mkdtemp(root))
        bail("no temporary directory");
}

static void end(void)
{
    nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void v2(const char *group)
{
    char line[256];
    snprintf(line, sizeof line, "0::%s\n", group);
    put("/proc/self/cgroup", line);
    put("/proc/self/mountinfo",
        "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
        "30 22 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n");
}

static void limited(int64_t quota, int64_t period, int procs, const char *file, const char *what)
{
    memset(&q, 0, sizeof q);
    if (!is_int(cgroup_quota(root, &q), 1, "%s: there is a limit", what))
        return;
    ok(q.quota_us == quota && q.period_us == period, "%s: of %lld in %lld us", what,
       (long long)q.quota_us, (long long)q.period_us);
    is_int(cgroup_procs(&q), procs, "%s: which is %d cpus", what, procs);
    is_str(q.file, file, "%s: from the right file", what);
}

static void free_of_limits(const char *what)
{
    is_int(cgroup_quota(root, &q), 0, "%s: no limit", what);
}

static void nested(void)
{
    begin();
    v2("/user.slice/app.scope");
    put("/sys/fs/cgroup/user.slice/cpu.max", "max 100000\n");
    put("/sys/fs/cgroup/user.slice/app.scope/cpu.max", "250000 100000\n");
    limited(250000, 100000, 3, "/sys/fs/cgroup/user.slice/app.scope/cpu.max", "leaf");
    put("/sys/fs/cgroup/user.slice/cpu.max", "30000 20000\n");
    limited(30000, 20000, 2, "/sys/fs/cgroup/user.slice/cpu.max", "tighter ancestor");
    put("/sys/fs/cgroup/user.slice/cpu.max", "800000 100000\n");
    limited(250000, 100000, 3, "/sys/fs/cgroup/user.slice/app.scope/cpu.max", "wider ancestor");
    put("/sys/fs/cgroup/user.slice/app.scope/cpu.max", "max 100000\n");
    put("/sys/fs/cgroup/user.slice/cpu.max", "max 100000\n");
    free_of_limits("all max");
    put("/sys/fs/cgroup/user.slice/app.scope/cpu.max", "1000 100000\n");
    limited(1000, 100000, 1, "/sys/fs/cgroup/user.slice/app.scope/cpu.max", "a hundredth");
    put("/sys/fs/cgroup/user.slice/app.scope/cpu.max", "200000 100000\n");
    limited(200000, 100000, 2, "/sys/fs/cgroup/user.slice/app.scope/cpu.max", "exactly two");
    end();
}

/* What a container sees: its own group is the root. */
static void namespaces(void)
{
    begin();
    v2("/");
    put("/sys/fs/cgroup/cpu.max", "150000 100000\n");
    limited(150000, 100000, 2, "/sys/fs/cgroup/cpu.max", "namespace");
    v2("/../other");
    limited(150000, 100000, 2, "/sys/fs/cgroup/cpu.max", "group outside of the namespace");
    end();

    begin();
    put("/proc/self/cgroup", "0::/docker/abc/inner\n");
    put("/proc/self/mountinfo", "30 22 0:26 /docker/abc /sys/fs/cgroup ro - cgroup2 cgroup rw\n");
    put("/sys/fs/cgroup/cpu.max", "300000 100000\n");
    put("/sys/fs/cgroup/inner/cpu.max", "100000 50000\n");
    limited(100000, 50000, 2, "/sys/fs/cgroup/inner/cpu.max", "container without a namespace");
    put("/proc/self/cgroup", "0::/docker/abcdef\n");
    limited(300000, 100000, 3, "/sys/fs/cgroup/cpu.max", "a name that only begins alike");
    end();
}

static void version_1(void)
{
    begin();
    put("/proc/self/cgroup",
        "5:cpuset:/\n3:cpu,cpuacct:/app\n2:cpuacct_x:/bad\n1:name=systemd:/app\n0::/app\n");
    put("/proc/self/mountinfo",
        "40 22 0:30 / /cg/set rw - cgroup cgroup rw,cpuset\n"
        "41 22 0:31 / /cg/cpu\\040time rw - cgroup cgroup rw,cpu,cpuacct\n"
        "42 22 0:32 / /cg/unified rw - cgroup2 cgroup2 rw\n");
    put("/cg/set/app/cpu.cfs_quota_us", "1\n");
    put("/cg/cpu time/app/cpu.cfs_quota_us", "450000\n");
    put("/cg/cpu time/app/cpu.cfs_period_us", "100000\n");
    put("/cg/cpu time/cpu.cfs_quota_us", "-1\n");
    put("/cg/cpu time/cpu.cfs_period_us", "100000\n");
    limited(450000, 100000, 5, "/cg/cpu time/app/cpu.cfs_quota_us", "version 1");
    put("/cg/cpu time/app/cpu.cfs_quota_us", "-1\n");
    free_of_limits("version 1 without");
    put("/cg/unified/app/cpu.max", "100000 100000\n");
    limited(100000, 100000, 1, "/cg/unified/app/cpu.max", "both versions, limit in the second");
    end();
}

static void garbage(void)
{
    static const char *const texts[] = {
        "", "\n", "max", "100000", "100000 ", "x y\n", "100000 0\n", "-5 100000\n", "0 100000\n",
        "12abc 100000\n", "100000 100000x\n", "99999999999999999999 100000\n", "max max\n",
    };
    begin();
    free_of_limits("no files at all");
    v2("/a/b");
    free_of_limits("no limit files");
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        put("/sys/fs/cgroup/a/b/cpu.max", texts[i]);
        free_of_limits(texts[i][0] == '\n' ? "an empty line" : texts[i]);
    }
    put("/sys/fs/cgroup/a/cpu.max", "100000 100000\n");
    limited(100000, 100000, 1, "/sys/fs/cgroup/a/cpu.max", "a good file above a bad one");
    put("/proc/self/cgroup", "nonsense\n0:\n0\n:::\n");
    free_of_limits("a wrong list of groups");
    put("/proc/self/cgroup", "0::/a\n");
    put("/proc/self/mountinfo", "x\n - \n - cgroup2 x\n1 2 3 - cgroup2 x rw\n");
    free_of_limits("a wrong list of mounts");
    end();
}

int main(void)
{
    nested();
    namespaces();
    version_1();
    garbage();
    return done_testing();
}
