/* SPDX-License-Identifier: BSD-3-Clause
 * allp-out.c - a P may be counted before it is whole
 */
#define BROKEN "ALLP out make_procs"
#include "../model-world.c"
