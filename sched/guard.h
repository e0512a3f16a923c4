/* SPDX-License-Identifier: BSD-3-Clause
 * guard.h - pages below a stack that nobody may touch
 */
#ifndef QUOIT_SCHED_GUARD_H
#define QUOIT_SCHED_GUARD_H

#include <stddef.h>

/* Once a start, by stack_init: finds out what the kernel has, as far as
 * QUOIT_GUARD leaves a choice. */
void guard_init(void);

/* Bytes at the low end of each slot; whole pages. */
size_t guard_bytes(void);

/* Guards n slots, `stride` bytes apart. How many of them, from the first on,
 * have guard pages now; the others must do with canaries. Any thread. */
int guard_install(char *first, size_t stride, int n);

#endif
