/* SPDX-License-Identifier: BSD-3-Clause
 * spin-down-heavy.c - an M may look at the queues before its P shows as idle
 */
#define BROKEN "SPIN-DOWN full second_look fence_heavy"
#include "../model-spin.c"
