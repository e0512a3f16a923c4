/* SPDX-License-Identifier: BSD-3-Clause
 * sync-out-inplace.c - it may still be reading when the M shows a child on its stack
 */
#define BROKEN "SYNC out begin_inplace"
#include "../model-grace.c"
