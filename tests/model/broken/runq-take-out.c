/* SPDX-License-Identifier: BSD-3-Clause
 * runq-take-out.c - a thief may give a slot back before it has read it
 */
#define BROKEN "RUNQ-TAKE out runq_grab"
#include "../model-runq.c"
