/* SPDX-License-Identifier: BSD-3-Clause
 * mutex-out-try.c - who leaves a mutex that another is about to try for may do so too early
 */
#define BROKEN "MUTEX out try_unlock"
#include "../model-mutex.c"
