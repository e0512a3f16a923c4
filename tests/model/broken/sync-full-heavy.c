/* SPDX-License-Identifier: BSD-3-Clause
 * sync-full-heavy.c - who waits may look before it has unlinked
 */
#define BROKEN "SYNC full call_all"
#include "../model-grace.c"
