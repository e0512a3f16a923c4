/* SPDX-License-Identifier: BSD-3-Clause
 * g-off-out.c - the state may be seen before the context that it promises
 */
#define BROKEN "G-OFF out"
#include "../model-scan.c"
