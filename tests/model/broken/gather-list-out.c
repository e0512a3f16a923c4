/* SPDX-License-Identifier: BSD-3-Clause
 * gather-list-out.c - an end may be found before what it is about is done
 */
#define BROKEN "GATHER-LIST out"
#include "../model-gather.c"
