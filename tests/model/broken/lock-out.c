/* SPDX-License-Identifier: BSD-3-Clause
 * lock-out.c - the lock may look free before its holder is done
 */
#define BROKEN "LOCK out"
#include "../model-lock.c"
