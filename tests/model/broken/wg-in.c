/* SPDX-License-Identifier: BSD-3-Clause
 * wg-in.c - who need not wait may not see what was done
 */
#define BROKEN "WG in quoit_wg_wait"
#include "../model-wg.c"
