/* SPDX-License-Identifier: BSD-3-Clause
 * runq-next-in-get.c - who empties `next` may see the goroutine as it was before
 */
#define BROKEN "RUNQ-NEXT in runq_get_next"
#include "../model-runq.c"
