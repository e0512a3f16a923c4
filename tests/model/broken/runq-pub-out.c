/* SPDX-License-Identifier: BSD-3-Clause
 * runq-pub-out.c - tail may show a slot before it is filled
 */
#define BROKEN "RUNQ-PUB out"
#include "../model-runq.c"
