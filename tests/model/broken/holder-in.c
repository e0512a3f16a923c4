/* SPDX-License-Identifier: BSD-3-Clause
 * holder-in.c - an M may be looked at before it is whole
 */
#define BROKEN "HOLDER in"
#include "../model-spin.c"
