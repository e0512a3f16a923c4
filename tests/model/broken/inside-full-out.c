/* SPDX-License-Identifier: BSD-3-Clause
 * inside-full-out.c - who begins a marked call may not see that it was called meanwhile
 */
#define BROKEN "INSIDE full outside_begins"
#include "../model-inside.c"
