/* SPDX-License-Identifier: BSD-3-Clause
 * park-out.c - a waiter may be readied before it has left its stack
 */
#define BROKEN "PARK out park_store"
#include "../model-sema.c"
