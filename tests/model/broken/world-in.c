/* SPDX-License-Identifier: BSD-3-Clause
 * world-in.c - who has stopped the world may miss what others did before
 */
#define BROKEN "WORLD in wait_stopped"
#include "../model-world.c"
