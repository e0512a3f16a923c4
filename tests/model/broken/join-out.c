/* SPDX-License-Identifier: BSD-3-Clause
 * join-out.c - the end may be seen before the result
 */
#define BROKEN "JOIN out g_ended"
#include "../model-join.c"
