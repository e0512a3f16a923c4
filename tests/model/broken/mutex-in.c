/* SPDX-License-Identifier: BSD-3-Clause
 * mutex-in.c - who locks may not see what the last holder did
 */
#define BROKEN "MUTEX in quoit_mutex_lock"
#include "../model-mutex.c"
