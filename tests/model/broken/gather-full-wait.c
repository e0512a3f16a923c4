/* SPDX-License-Identifier: BSD-3-Clause
 * gather-full-wait.c - who waits may be made ready while it is on its stack
 */
#define BROKEN "GATHER full gather_wait"
#include "../model-gather.c"
