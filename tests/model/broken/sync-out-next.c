/* SPDX-License-Identifier: BSD-3-Clause
 * sync-out-next.c - it may still be reading when the M shows the next one
 */
#define BROKEN "SYNC out set_current"
#include "../model-grace.c"
