/* SPDX-License-Identifier: BSD-3-Clause
 * forkq-pub-out.c - the word may show a slot before it is filled
 */
#define BROKEN "FORKQ-PUB out"
#include "../model-forkq.c"
