/* SPDX-License-Identifier: BSD-3-Clause
 * wg-out-zero.c - a late waiter may not see what was done
 */
#define BROKEN "WG out wake_all"
#include "../model-wg.c"
