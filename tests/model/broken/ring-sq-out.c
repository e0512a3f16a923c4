/* SPDX-License-Identifier: BSD-3-Clause
 * ring-sq-out.c - the kernel may see an entry before it is filled
 */
#define BROKEN "RING-SQ out"
#include "../model-ring.c"
