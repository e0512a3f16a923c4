/* SPDX-License-Identifier: BSD-3-Clause
 * timed-in.c - who was told just in time may not see of what
 */
#define BROKEN "TIMED in"
#include "../model-timer.c"
