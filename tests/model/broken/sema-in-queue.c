/* SPDX-License-Identifier: BSD-3-Clause
 * sema-in-queue.c - who takes a waiter out may find it still on its stack
 */
#define BROKEN "SEMA in lock_queue"
#include "../model-sema.c"
