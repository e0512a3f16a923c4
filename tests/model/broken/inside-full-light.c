/* SPDX-License-Identifier: BSD-3-Clause
 * inside-full-light.c - an entry and a taker of the P may miss each other
 */
#define BROKEN "INSIDE full enter"
#include "../model-inside.c"
