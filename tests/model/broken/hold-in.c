/* SPDX-License-Identifier: BSD-3-Clause
 * hold-in.c - who stops the world may see half of what was done before
 */
#define BROKEN "HOLD in"
#include "../model-hold.c"
