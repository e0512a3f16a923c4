/* SPDX-License-Identifier: BSD-3-Clause
 * holder-out.c - an M may be found at its P before it is whole
 */
#define BROKEN "HOLDER out"
#include "../model-spin.c"
