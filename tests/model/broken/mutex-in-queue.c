/* SPDX-License-Identifier: BSD-3-Clause
 * mutex-in-queue.c - a waiter may not see the queue as it is
 */
#define BROKEN "MUTEX in lock_or_wait"
#include "../model-mutex.c"
