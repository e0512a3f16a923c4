/* SPDX-License-Identifier: BSD-3-Clause
 * wg-in-slow.c - who need not wait after all may not see what was done
 */
#define BROKEN "WG in wg_wait_slow"
#include "../model-wg.c"
