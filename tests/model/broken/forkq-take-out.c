/* SPDX-License-Identifier: BSD-3-Clause
 * forkq-take-out.c - a thief may give a slot back before it has read it
 */
#define BROKEN "FORKQ-TAKE out forkq_grab"
#include "../model-forkq.c"
