/* SPDX-License-Identifier: BSD-3-Clause
 * runq-pub-in.c - a thief may read a slot as it was before tail showed it
 */
#define BROKEN "RUNQ-PUB in"
#include "../model-runq.c"
