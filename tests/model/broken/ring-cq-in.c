/* SPDX-License-Identifier: BSD-3-Clause
 * ring-cq-in.c - a completion may be read before it is written
 */
#define BROKEN "RING-CQ in"
#include "../model-ring.c"
