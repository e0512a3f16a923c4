/* SPDX-License-Identifier: BSD-3-Clause
 * quoit_numa.h - the machine as Quoit sees it
 *
 * Nodes are numbered 0 to quoit_num_nodes() - 1 without holes; the same numbers
 * go into the `node` of struct quoit_attr. The machine is looked at once, by
 * quoit_init or quoit_main, and shows only what this process may use. So each
 * call below works while Quoit runs, and answers -ESHUTDOWN before quoit_init
 * has returned and after quoit_shutdown was called.
 *
 * [T] any thread, of Quoit's or not; [S] async-signal-safe. No call here parks,
 * and none sets errno.
 */
#ifndef QUOIT_NUMA_H
#define QUOIT_NUMA_H

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* How many nodes have cpus that this process may use; at least 1. [T][S] since 0.1 */
int quoit_num_nodes(void);

/* How far memory of node `to` is from cpus of node `from`, on the firmware's
 * scale: 10 is local, 20 is twice as far. -EINVAL: no such node. [T][S] since
 * 0.1 */
int quoit_node_distance(int from, int to);

/* The node of a cpu as the kernel numbers it (sched_getcpu). -ENXIO: not a cpu
 * this process may use. [T][S] since 0.1 */
int quoit_node_of_cpu(int cpu);

/* Stores the kernel's numbers of the node's cpus, in rising order and at most
 * `max` of them, into `cpus` (may be NULL if `max` is 0); returns how many
 * there are, which may be more. -EINVAL: no such node, or `max` is negative.
 * [T][S] since 0.1 */
int quoit_node_cpus(int node, int *cpus, int max);

/* The kernel's number of a node, as numactl(8) and libnuma count. -EINVAL: no
 * such node. [T][S] since 0.1 */
int quoit_node_os(int node);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif
