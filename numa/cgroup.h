/* SPDX-License-Identifier: BSD-3-Clause
 * cgroup.h - how much cpu time the groups around this process allow
 */
#ifndef QUOIT_NUMA_CGROUP_H
#define QUOIT_NUMA_CGROUP_H

#include <limits.h>
#include <stdint.h>

struct cgroup_quota {
    int64_t quota_us, period_us; /* quota_us of cpu time in each period_us */
    char file[PATH_MAX];         /* where the limit stands, without `root` */
};

/* Finds the tightest limit of the process's own group and of all its ancestors
 * that can be seen: cpu.max of version 2, cpu.cfs_quota_us of version 1. `root`
 * ("" for the machine itself) stands before /proc and before each mount point.
 * 1 when there is a limit, 0 when there is none; what is missing or cannot be
 * understood limits nothing. */
int cgroup_quota(const char *root, struct cgroup_quota *out);

/* Whole cpus, a fraction rounded up, at least 1. */
int cgroup_procs(const struct cgroup_quota *q);

#endif
