/* SPDX-License-Identifier: BSD-3-Clause
 * runq-next-out.c - `next` may show a goroutine that is not whole
 */
#define BROKEN "RUNQ-NEXT out"
#include "../model-runq.c"
