/* SPDX-License-Identifier: BSD-3-Clause
 * allm-in.c - an M may be found before it is whole
 */
#define BROKEN "ALLM in allm_first"
#include "../model-world.c"
