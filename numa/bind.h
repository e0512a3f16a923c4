/* SPDX-License-Identifier: BSD-3-Clause
 * bind.h - the calling thread's cpus
 *
 * The mask the process was started with is remembered once; a thread is either
 * on that one or bound by us, and knows which (a thread-local). That knowledge
 * is what lets children.h give threads and processes made by a bound thread the
 * process's mask. Each function but bind_loosen acts on the calling thread only.
 */
#ifndef QUOIT_NUMA_BIND_H
#define QUOIT_NUMA_BIND_H

#include <stdbool.h>
#include <stddef.h>

#include "place.h"

/* Reads the calling thread's mask from the kernel into fresh memory, to be
 * freed; 0 or -errno. */
int bind_read(unsigned long **mask, size_t *bytes);

/* Remembers the calling thread's mask as that of the process; 0, -ENOMEM or
 * another -errno. Once, before any thread is bound, next to topo_load; a second
 * call takes the place of the first. */
int bind_save(void);
/* The process's mask is another one now; of the same size, or nothing is done. Who is bound is so
 * anew at the next bind_thread. Others may be at it, and then use the old one, the new one, or
 * parts of both. */
void bind_resave(const unsigned long *mask, size_t bytes);
/* Forgets it again. No thread may be bound any more. */
void bind_forget(void);
/* The remembered mask, NULL when there is none; *bytes is its size. */
const unsigned long *bind_saved(size_t *bytes);

/* To its place; `mode` as place_mode returned it. BIND_NONE is
 * bind_thread_process. No system call when the thread is bound so already, else
 * one. 0, or -errno as sched_setaffinity(2) says: then the thread stays as it
 * was, which is no reason to stop. errno is left as it was. */
int bind_thread(enum bind_mode mode, const struct place *where);
/* To any allowed cpu of a node (0..nnodes-1). */
int bind_thread_node(int node);
/* Back to the saved mask. */
int bind_thread_process(void);

/* What the calling thread knows of where it is bound, for others: as long as it lives. */
struct given;
struct given *bind_mine(void);
/* Lets the thread tid, whose g is, run on every cpu of its node until its next bind_thread, which
 * must not be under way. True: it was bound to less. Any thread. */
bool bind_loosen(struct given *g, int tid);

/* Has this thread been bound by one of the above, and not set free since? */
bool bind_is_bound(void);
/* To the saved mask for a moment: true when the thread was bound, and then
 * bind_narrow has to follow on the same thread. False: nothing was done. */
bool bind_widen(void);
void bind_narrow(void);

/* Does this mask, as the kernel reported it for the calling thread, come from us? */
bool bind_is_ours(const void *mask, size_t bytes);

#endif
