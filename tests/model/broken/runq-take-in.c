/* SPDX-License-Identifier: BSD-3-Clause
 * runq-take-in.c - the owner may fill a slot that a thief still reads
 */
#define BROKEN "RUNQ-TAKE in runq_put"
#include "../model-runq.c"
