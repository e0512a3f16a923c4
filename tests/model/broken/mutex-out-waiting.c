/* SPDX-License-Identifier: BSD-3-Clause
 * mutex-out-waiting.c - a waiter may be found before it has left its stack
 */
#define BROKEN "MUTEX out unlock_waiting"
#include "../model-mutex.c"
