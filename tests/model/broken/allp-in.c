/* SPDX-License-Identifier: BSD-3-Clause
 * allp-in.c - a P may be found before it is whole
 */
#define BROKEN "ALLP in nallp"
#include "../model-world.c"
