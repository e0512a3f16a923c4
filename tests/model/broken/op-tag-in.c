/* SPDX-License-Identifier: BSD-3-Clause
 * op-tag-in.c - a record may be looked at as it was before it was handed over
 */
#define BROKEN "OP-TAG in"
#include "../model-op.c"
