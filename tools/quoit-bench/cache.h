/* SPDX-License-Identifier: BSD-3-Clause
 * cache.h - files as if they had never been read
 */
#ifndef BENCH_CACHE_H
#define BENCH_CACHE_H

#include "bench.h"

/* Empties the page cache, or takes the files below options.dir out of it where
 * that is not permitted. 0, or -errno. */
int cache_drop(const struct options *o);

/* How the last cache_drop did it, for people and JSON. */
const char *cache_how(void);

#endif
