/* SPDX-License-Identifier: BSD-3-Clause
 * ring-cq-out.c - the kernel may write a completion that is still read
 */
#define BROKEN "RING-CQ out"
#include "../model-ring.c"
