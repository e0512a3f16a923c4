/* SPDX-License-Identifier: BSD-3-Clause
 * runq-next-in-grab.c - a thief may see the goroutine as it was before
 */
#define BROKEN "RUNQ-NEXT in runq_grab_next"
#include "../model-runq.c"
