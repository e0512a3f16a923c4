/* SPDX-License-Identifier: BSD-3-Clause
 * world-help-in.c - a share may begin before it is described
 */
#define BROKEN "WORLD-HELP in world_help"
#include "../model-world.c"
