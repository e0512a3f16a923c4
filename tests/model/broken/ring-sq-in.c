/* SPDX-License-Identifier: BSD-3-Clause
 * ring-sq-in.c - an entry may be filled again while the kernel reads it
 */
#define BROKEN "RING-SQ in"
#include "../model-ring.c"
