/* SPDX-License-Identifier: BSD-3-Clause
 * sync-full-slow.c - the same where membarrier is forbidden
 */
#define BROKEN "SYNC full set_running_slow"
#include "../model-grace.c"
