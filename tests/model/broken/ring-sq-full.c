/* SPDX-License-Identifier: BSD-3-Clause
 * ring-sq-full.c - the tail may hide behind the look at whether the kernel's thread sleeps
 */
#define BROKEN "RING-SQ full"
#include "../model-ring.c"
