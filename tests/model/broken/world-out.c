/* SPDX-License-Identifier: BSD-3-Clause
 * world-out.c - one that comes in may not be done yet
 */
#define BROKEN "WORLD out world_stopped_one_locked"
#include "../model-world.c"
