/* SPDX-License-Identifier: BSD-3-Clause
 * runq-empty-out.c - a queue may look empty while a goroutine moves about in it
 */
#define BROKEN "RUNQ-EMPTY out"
#include "../model-runq.c"
