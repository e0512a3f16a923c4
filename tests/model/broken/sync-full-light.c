/* SPDX-License-Identifier: BSD-3-Clause
 * sync-full-light.c - it may read before it shows
 */
#define BROKEN "SYNC full set_current"
#include "../model-grace.c"
