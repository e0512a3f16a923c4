/* SPDX-License-Identifier: BSD-3-Clause
 * spin-down-light.c - who puts work may look for idle P's before it is in the queue
 */
#define BROKEN "SPIN-DOWN full wakep"
#include "../model-spin.c"
