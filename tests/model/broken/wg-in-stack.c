/* SPDX-License-Identifier: BSD-3-Clause
 * wg-in-stack.c - a waiter may be woken before it has left its stack
 */
#define BROKEN "WG in wake_all"
#include "../model-wg.c"
