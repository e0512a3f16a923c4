/* SPDX-License-Identifier: BSD-3-Clause
 * children.h - what a bound thread starts is not bound
 *
 * A new thread or process inherits the cpus of the thread that makes it. One
 * made from user code on a bound thread must get the process's own cpus, or
 * OpenMP, make -j and the like find one cpu. How this is done, and why so,
 * stands in children.c.
 */
#ifndef QUOIT_NUMA_CHILDREN_H
#define QUOIT_NUMA_CHILDREN_H

/* After bind_save, before the first thread is bound. 0 or -errno; partial
 * success (a static executable, a sealed table) is success. */
int children_install(void);

/* Looks whether objects were loaded since the last look, and takes those in.
 * About 0.1 us when not. Any thread; to be called now and then, say at each
 * thread that is made and once a second by whoever watches. */
void children_refresh(void);

/* The process's mask is another one now (bind_resave). Any thread. */
void children_remask(void);

/* Puts everything back. No thread may be bound any more. */
void children_remove(void);

#endif
