/* SPDX-License-Identifier: BSD-3-Clause
 * inside-out-leave.c - a taker may find the M outside before it is done
 */
#define BROKEN "INSIDE out leave"
#include "../model-inside.c"
