/* SPDX-License-Identifier: BSD-3-Clause
 * wg-full.c - a done may be counted before it is
 */
#define BROKEN "WG full"
#include "../model-wg.c"
