/* SPDX-License-Identifier: BSD-3-Clause
 * wg-out-stack.c - a waiter may be found before it has left its stack
 */
#define BROKEN "WG out hang_up"
#include "../model-wg.c"
