/* SPDX-License-Identifier: BSD-3-Clause
 * gather-full-put.c - an end may be counted before it is in the list
 */
#define BROKEN "GATHER full gather_put"
#include "../model-gather.c"
