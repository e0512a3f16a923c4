/* SPDX-License-Identifier: BSD-3-Clause
 * redirect.h - loaded objects' calls of a libc function go elsewhere for a
 * while; used by children.c
 */
#ifndef QUOIT_NUMA_REDIRECT_H
#define QUOIT_NUMA_REDIRECT_H

#include <stdbool.h>
#include <stdint.h>

/* A table of these ends with a NULL name. */
struct redirect {
    const char *name;
    uintptr_t ours;
    uintptr_t real; /* what a call reaches without us; 0: leave this one out */
    int entries;      /* how many entries of that name were met, on or off */
};

/* Points entries from real to ours (on), or back. With `on`, objects are looked
 * at only when some were loaded since the look that returned `since` (0: look
 * in any case). The value for the next time: 0 when an object could not be
 * finished because the loader was still at work on it. One caller at a time. */
unsigned long long redirect(struct redirect *table, bool on, unsigned long long since);

#endif
