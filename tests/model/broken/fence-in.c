/* SPDX-License-Identifier: BSD-3-Clause
 * fence-in.c - the slow path may not see what was done before the word changed
 */
#define BROKEN "FENCE in"
#include "../model-scan.c"
