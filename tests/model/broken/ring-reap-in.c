/* SPDX-License-Identifier: BSD-3-Clause
 * ring-reap-in.c - who takes completions may not see what the last one did
 */
#define BROKEN "RING-REAP in"
#include "../model-ring.c"
