/* SPDX-License-Identifier: BSD-3-Clause
 * timed-fire.c - the deadline may make one ready that has not left its stack
 */
#define BROKEN "TIMED full timed_end"
#include "../model-timer.c"
