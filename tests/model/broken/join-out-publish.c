/* SPDX-License-Identifier: BSD-3-Clause
 * join-out-publish.c - the joiner may be readied before it has left its stack
 */
#define BROKEN "JOIN out join_publish"
#include "../model-timer.c"
