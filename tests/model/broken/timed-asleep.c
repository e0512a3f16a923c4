/* SPDX-License-Identifier: BSD-3-Clause
 * timed-asleep.c - one that falls asleep may be met while it still runs
 */
#define BROKEN "TIMED full fall_asleep"
#include "../model-timer.c"
