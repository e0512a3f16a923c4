/* SPDX-License-Identifier: BSD-3-Clause
 * posix.h - the same operations without rings
 *
 * First the call is tried without blocking. What would block waits in one of two
 * places: for readiness in the watcher, one thread that polls; or, where readiness
 * says nothing (files), in a helper thread that makes the plain call.
 */
#ifndef QUOIT_URING_POSIX_H
#define QUOIT_URING_POSIX_H

#include "op.h"

#include <stdint.h>

/* Once each; nothing is started before it is needed. `max`: most helper threads. */
int posix_init(int max);
/* Every thread of this floor is gone when it returns: blocked calls are interrupted. */
void posix_fini(void);

/* The goroutine waits for the operation; op->res has the result. */
struct m *posix_wait(struct m *mp, struct op *op);

/* A helper's call did not block after all (O_NONBLOCK): true when the watcher has the
 * operation now. */
bool posix_again(struct op *op);

/* Operations under way, a hint. */
uint32_t posix_busy(void);

/* Helper threads there are, a hint. */
int posix_helpers(void);

#endif
