/* SPDX-License-Identifier: BSD-3-Clause
 * mutex-in-try.c - who spins for the mutex may not see what the last holder did
 */
#define BROKEN "MUTEX in try_lock"
#include "../model-mutex.c"
