/* SPDX-License-Identifier: BSD-3-Clause
 * inside-full-exit.c - the way back from a marked call and a taker of the P may miss each other
 */
#define BROKEN "INSIDE full quoit_syscall_exit"
#include "../model-inside.c"
