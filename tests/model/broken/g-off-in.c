/* SPDX-License-Identifier: BSD-3-Clause
 * g-off-in.c - the state may be seen before the context that it promises
 */
#define BROKEN "G-OFF in gscan_begin"
#include "../model-scan.c"
