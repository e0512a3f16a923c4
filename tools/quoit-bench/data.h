/* SPDX-License-Identifier: BSD-3-Clause
 * data.h - the file that is read by randread, seqread and pipeline
 *
 * It has no name from the start, so it is gone with the last process that has
 * it open, however that ended. Each block is known by its contents.
 */
#ifndef BENCH_DATA_H
#define BENCH_DATA_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "bench.h"

enum { DATA_BLOCK = 4096 };

/* In the parent: makes the file if it is not there yet. Why it cannot be had,
 * or be read past the page cache; NULL: it can. */
const char *data_why_not(const struct options *o);
const char *data_why_not_direct(const struct options *o);

/* Why no file can be written there. */
const char *data_why_not_scratch(const struct options *o);

/* In a child, before the clock starts: the descriptor, through the page cache
 * with all of the file in it, through it with nothing in it, or past it. -errno. */
int data_hot(void);
int data_cold(void);
int data_direct(void);

uint64_t data_blocks(void);

/* Whether these `bytes`, a multiple of DATA_BLOCK, begin with that block: the
 * ends of each block are looked at. */
bool data_right(const void *buf, size_t bytes, uint64_t block);

/* A file without a name in the same folder, to write into; -errno. */
int data_scratch(const struct options *o);

#endif
