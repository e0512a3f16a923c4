/* SPDX-License-Identifier: BSD-3-Clause
 * test-follow.c - the P's follow the cpus and the cpu time that the process is given
 *
 * The main thread is a plain one: it changes the machine, and looks on while a goroutine runs now
 * and then. The cgroup is a real one, where one can be made.
 */
#include "follow.h"

#include "atomic.h"

#include "os_linux.h"

#include "quoit.h"
#include "tap.h"
#include "world.h"

#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const int64_t soon_ns = 60000000000, short_ns = 5000000, tick_ns = 1000000;

static cpu_set_t all;
static uint32_t over;

static int lives(void *arg)
{
    (void)arg;
    while (!load_relaxed(&over))
        quoit_sleep(tick_ns);
    return 0;
}

static void begin(void)
{
    follow_ns = short_ns;
    store_relaxed(&over, 0);
    is_int(quoit_init(NULL), 0, "starts");
    world_spawn(lives, NULL);
}

static void end(void)
{
    store_relaxed(&over, 1);
    is_int(quoit_shutdown(INT64_MAX), 0, "ends");
}

static int procs_come_to(int n)
{
    int64_t until = nanotime() + soon_ns;

    while (quoit_gomaxprocs(0) != n && nanotime() < until)
        os_sleep_until(nanotime() + tick_ns);
    return quoit_gomaxprocs(0);
}

static uint64_t stats_follows(void)
{
    struct quoit_stats st = { .size = sizeof st };

    quoit_stats(&st);
    return st.follows;
}

/* A change is counted when it is over. */
static bool follows_come_to(uint64_t n)
{
    int64_t until = nanotime() + soon_ns;

    while (stats_follows() < n && nanotime() < until)
        os_sleep_until(nanotime() + tick_ns);
    return stats_follows() >= n;
}

/* As taskset -a does it, until no thread is left out. */
static void give_cpus(const cpu_set_t *set)
{
    DIR *dir = opendir("/proc/self/task");
    const struct dirent *d;

    if (dir == NULL)
        bail("no /proc/self/task");
    while ((d = readdir(dir)) != NULL)
        if (d->d_name[0] != '.')
            sched_setaffinity(atoi(d->d_name), sizeof *set, set);
    closedir(dir);
}

static void affinity(void)
{
    cpu_set_t one;
    int cpu = 0, n = CPU_COUNT(&all);

    while (!CPU_ISSET(cpu, &all))
        cpu++;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    begin();
    is_int(quoit_gomaxprocs(0), n, "as many P's as cpus");
    for (int round = 0; round < world_rounds(10); round++) {
        give_cpus(&one);
        if (procs_come_to(1) != 1)
            break;
        give_cpus(&all);
        if (procs_come_to(n) != n)
            break;
    }
    is_int(procs_come_to(n), n, "they follow the mask of the process's threads, down and up");
    ok(follows_come_to(2), "which is counted");
    is_int(quoit_gomaxprocs(n), n, "the program says how many");
    is_int(follow_due(), INT64_MAX, "and then nobody looks any more");
    end();
}

/* ---- a cgroup ------------------------------------------------------------------------------- */

static char group[128];

static bool put(const char *file, const char *text)
{
    char path[192];
    FILE *f;
    bool done;

    snprintf(path, sizeof path, "%s/%s", group, file);
    /* Only what the kernel has put there. */
    f = fopen(path, "r+e");
    if (f == NULL)
        return false;
    done = fputs(text, f) >= 0;
    return fclose(f) == 0 && done;
}

/* Below the root of a hierarchy that may be written, with this process in it. */
static bool make_group(const char *root, const char *limit, const char *none)
{
    snprintf(group, sizeof group, "%s/quoit-test-%d", root, (int)getpid());
    if (mkdir(group, 0700) != 0)
        return false;
    if (put(limit, none) && put("cgroup.procs", "0"))
        return true;
    rmdir(group);
    return false;
}

static void leave_group(const char *root)
{
    char made[sizeof group];

    strcpy(made, group);
    snprintf(group, sizeof group, "%s", root);
    ok(put("cgroup.procs", "0") && rmdir(made) == 0, "the group is gone");
}

static void follows_group(const char *limit, const char *of_one, const char *none)
{
    int n = CPU_COUNT(&all);

    begin();
    ok(put(limit, of_one), "the group gets the time of one cpu");
    is_int(procs_come_to(1), 1, "one P is left");
    ok(put(limit, none), "it gets all of them");
    is_int(procs_come_to(n), n, "and so do the P's");
    end();
}

static void quota(void)
{
    static const char v1[] = "/sys/fs/cgroup/cpu", v2[] = "/sys/fs/cgroup";

    if (make_group(v2, "cpu.max", "max 100000")) {
        follows_group("cpu.max", "100000 100000", "max 100000");
        leave_group(v2);
    } else if (make_group(v1, "cpu.cfs_quota_us", "-1")) {
        follows_group("cpu.cfs_quota_us", "100000", "-1");
        leave_group(v1);
    } else {
        skip("a cpu quota: no cgroup with a limit of cpu time can be made here (%s)",
             strerror(errno));
    }
}

int main(void)
{
    unsetenv("GOMAXPROCS");
    if (sched_getaffinity(0, sizeof all, &all) != 0 || CPU_COUNT(&all) < 2)
        skip_all("one cpu: there is nothing to follow");
    affinity();
    quota();
    return done_testing();
}
