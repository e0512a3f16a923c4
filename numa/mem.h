/* SPDX-License-Identifier: BSD-3-Clause
 * mem.h - address space whose pages come from a wanted node
 *
 * The only door to libnuma (mem.c). Any thread, any stack; thread-safe.
 */
#ifndef QUOIT_NUMA_MEM_H
#define QUOIT_NUMA_MEM_H

#include <stddef.h>

/* Readable, writable, zeroed on first touch, not charged until then. `align` is
 * a power of two, 0 or less than a page means a page; `bytes` is rounded up to
 * pages. Pages come by preference from `node` (0..nnodes-1; -1: from the one
 * that touches them first). Refusal to bind is silent, see below. NULL: no
 * memory. */
void *mem_reserve(size_t bytes, size_t align, int node);
/* Gives back exactly what mem_reserve returned for the same number of bytes. */
void mem_release(void *p, size_t bytes);

/* NULL while no binding was refused, else why the last one was; static text.
 * Containers refuse as a rule: then the first touch decides, which is right
 * wherever threads are bound. */
const char *mem_bind_refused(void);

#endif
