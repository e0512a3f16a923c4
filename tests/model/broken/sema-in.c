/* SPDX-License-Identifier: BSD-3-Clause
 * sema-in.c - who gets through may not see what came before the post
 */
#define BROKEN "SEMA in take"
#include "../model-sema.c"
