/* SPDX-License-Identifier: BSD-3-Clause
 * runq-empty-in.c - a queue may look empty while a goroutine moves about in it
 */
#define BROKEN "RUNQ-EMPTY in"
#include "../model-runq.c"
