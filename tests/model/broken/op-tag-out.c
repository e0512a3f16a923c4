/* SPDX-License-Identifier: BSD-3-Clause
 * op-tag-out.c - the tag may be seen before the record is done
 */
#define BROKEN "OP-TAG out"
#include "../model-op.c"
