/* SPDX-License-Identifier: BSD-3-Clause
 * lock-in-slow.c - who waited for the lock may not see what the last holder did
 */
#define BROKEN "LOCK in lock_slow"
#include "../model-lock.c"
