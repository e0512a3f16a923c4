/* SPDX-License-Identifier: BSD-3-Clause
 * fence-full.c - without membarrier a light fence may be none
 */
#define BROKEN "FENCE full"
#include "../model-scan.c"
