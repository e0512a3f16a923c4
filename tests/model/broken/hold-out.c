/* SPDX-License-Identifier: BSD-3-Clause
 * hold-out.c - who is held may count before all that it did is seen
 */
#define BROKEN "HOLD out"
#include "../model-hold.c"
