/* SPDX-License-Identifier: BSD-3-Clause
 * forkq-pub-in.c - a thief may read a slot as it was before the word showed it
 */
#define BROKEN "FORKQ-PUB in"
#include "../model-forkq.c"
