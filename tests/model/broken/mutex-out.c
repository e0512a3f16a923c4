/* SPDX-License-Identifier: BSD-3-Clause
 * mutex-out.c - the mutex may look free before its holder is done
 */
#define BROKEN "MUTEX out quoit_mutex_unlock"
#include "../model-mutex.c"
