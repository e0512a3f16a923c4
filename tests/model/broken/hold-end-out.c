/* SPDX-License-Identifier: BSD-3-Clause
 * hold-end-out.c - who goes on may see half of the phase
 */
#define BROKEN "HOLD-END out"
#include "../model-hold.c"
