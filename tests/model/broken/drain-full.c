/* SPDX-License-Identifier: BSD-3-Clause
 * drain-full.c - who waits for the last goroutine may miss its end
 */
#define BROKEN "DRAIN full"
#include "../model-state.c"
