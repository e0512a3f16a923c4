/* SPDX-License-Identifier: BSD-3-Clause
 * walk.h - every regular file below a directory, and a record of what was left out
 */
#ifndef BENCH_WALK_H
#define BENCH_WALK_H

#include "bench.h"

/* Called for each regular file, with its path below the root. Non-zero ends the
 * walk and is its result. */
typedef int (*walk_fn)(const char *path, void *arg);

/* Walks by plain system calls in the calling thread. Symbolic links are not
 * followed, kernel file systems (/proc and the like) not entered. What cannot
 * be read goes into the tally (NULL: nowhere). 0, -ENOMEM, or what `each`
 * returned. */
int walk_tree(int root, walk_fn each, void *arg, struct tally *tally);

/* From any thread: one more was left out. A kind by errno for what failed. */
void tally_add(struct tally *t, enum skip kind, const char *path);
void tally_error(struct tally *t, int err, const char *path);

/* A line for people, "not followed (symbolic links)". */
const char *skip_says(enum skip kind);
/* The key in JSON. */
const char *skip_key(enum skip kind);

#endif
