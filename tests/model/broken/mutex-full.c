/* SPDX-License-Identifier: BSD-3-Clause
 * mutex-full.c - a waiter may be let go before it has left its stack
 */
#define BROKEN "MUTEX full unlock_slow_path"
#include "../model-mutex.c"
