/* SPDX-License-Identifier: BSD-3-Clause
 * pages.h - what a process uses, and what a page costs
 */
#ifndef BENCH_PAGES_H
#define BENCH_PAGES_H

#include <stdint.h>

struct options;

struct memory {
    uint64_t resident; /* bytes, without page tables */
    uint64_t tables;   /* bytes of page tables */
};

/* What this process uses now; -errno where /proc does not tell. */
int memory_used(struct memory *m);

/* Why that cannot be told here; NULL: it can. */
const char *memory_not_told(const struct options *o);

/* Bytes that can be had without swapping; 0: not known. */
uint64_t memory_available(void);

/* As many goroutines, up to n, as fit into four fifths of the memory that is
 * free, a page, a record and `extra` bytes each. At most INT32_MAX / 2: a wait
 * group counts them. */
uint64_t memory_for(uint64_t n, uint64_t extra);

/* Maps so many fresh pages, touches each and returns them; *ns is the time of
 * the touching. -errno. */
int touch_pages(uint64_t pages, uint64_t *ns);

#endif
