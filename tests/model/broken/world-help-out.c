/* SPDX-License-Identifier: BSD-3-Clause
 * world-help-out.c - a share may be given before it is described
 */
#define BROKEN "WORLD-HELP out call_helpers"
#include "../model-world.c"
