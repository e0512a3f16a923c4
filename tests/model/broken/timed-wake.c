/* SPDX-License-Identifier: BSD-3-Clause
 * timed-wake.c - who is woken at its deadline may not see what it was woken for
 */
#define BROKEN "TIMED full timed_wake"
#include "../model-timer.c"
