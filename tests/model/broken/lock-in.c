/* SPDX-License-Identifier: BSD-3-Clause
 * lock-in.c - who takes a free lock may not see what the last holder did
 */
#define BROKEN "LOCK in lock"
#include "../model-lock.c"
