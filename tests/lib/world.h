/* SPDX-License-Identifier: BSD-3-Clause
 * world.h - a runtime of k P's, and what tests of goroutines all need
 *
 * Only public functions are used, so unit and integration tests share it.
 */
#ifndef QUOIT_TESTS_WORLD_H
#define QUOIT_TESTS_WORLD_H

#include "quoit.h"

#include <stdbool.h>
#include <stdint.h>

/* quoit_main with this many P's; 0: as the environment says. */
int world_run(int procs, quoit_fn fn, void *arg);

/* A joinable goroutine, or the end of the test. */
struct quoit_g *world_go(quoit_fn fn, void *arg);
/* One that is never run in place: it asks for a stack size. */
struct quoit_g *world_go_apart(quoit_fn fn, void *arg);
int world_join(struct quoit_g *g);
/* A detached one, or the end of the test. */
void world_spawn(quoit_fn fn, void *arg);

/* How many rounds: `n`, or a tenth of it (one at least) under a sanitizer or Valgrind, where each
 * costs as much as ten; with QUOIT_STRESS_SECONDS set that many times more. */
int world_rounds(int n);
/* Sanitizer or Valgrind: sizes of stacks and memory mean nothing then. */
bool world_is_slow(void);
bool world_is_soak(void);
/* ThreadSanitizer or Valgrind: a handler does not find what its signal interrupted. */
bool world_handlers_are_late(void);

int world_procs(void);

/* How long a stress test goes on, and whether it is over. */
int64_t world_until(void);
int64_t world_now(void);

/* From QUOIT_STRESS_SEED or the clock, told to the log; and numbers made from it, each caller with
 * a state of its own. */
uint64_t world_seed(void);
uint32_t world_rand(uint64_t *state);

#endif
