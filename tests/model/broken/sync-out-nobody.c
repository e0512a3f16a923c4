/* SPDX-License-Identifier: BSD-3-Clause
 * sync-out-nobody.c - it may still be reading when the M shows none
 */
#define BROKEN "SYNC out set_nobody"
#include "../model-grace.c"
