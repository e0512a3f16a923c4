/* SPDX-License-Identifier: BSD-3-Clause
 * inside-fence-in.c - an M that was called may not see why
 */
#define BROKEN "FENCE in"
#include "../model-inside.c"
