/* SPDX-License-Identifier: BSD-3-Clause
 * join-in.c - the joiner may not see the result
 */
#define BROKEN "JOIN in join_until"
#include "../model-timer.c"
