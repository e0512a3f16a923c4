/* SPDX-License-Identifier: BSD-3-Clause
 * hold-end-in.c - who goes on may have looked at the phase before its end
 */
#define BROKEN "HOLD-END in"
#include "../model-hold.c"
