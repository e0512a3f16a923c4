/* SPDX-License-Identifier: BSD-3-Clause
 * mutex-out-slow.c - the mutex may look free before its holder is done
 */
#define BROKEN "MUTEX out unlock_slow_path"
#include "../model-mutex.c"
