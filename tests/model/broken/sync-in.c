/* SPDX-License-Identifier: BSD-3-Clause
 * sync-in.c - what a goroutine did before it gave way may come after the wait
 */
#define BROKEN "SYNC in runs"
#include "../model-grace.c"
