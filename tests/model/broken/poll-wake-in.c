/* SPDX-License-Identifier: BSD-3-Clause
 * poll-wake-in.c - who is woken may not see what it is woken for
 */
#define BROKEN "POLL-WAKE in"
#include "../model-wake.c"
