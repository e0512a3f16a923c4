/* SPDX-License-Identifier: BSD-3-Clause
 * forkq-take-in.c - the owner may fill a slot that a thief still reads
 */
#define BROKEN "FORKQ-TAKE in"
#include "../model-forkq.c"
