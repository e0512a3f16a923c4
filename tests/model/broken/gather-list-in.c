/* SPDX-License-Identifier: BSD-3-Clause
 * gather-list-in.c - an end may be taken on a stale view of what it is about
 */
#define BROKEN "GATHER-LIST in"
#include "../model-gather.c"
