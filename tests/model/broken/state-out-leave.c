/* SPDX-License-Identifier: BSD-3-Clause
 * state-out-leave.c - a thread may look gone while it still uses things
 */
#define BROKEN "STATE out foreign_leave"
#include "../model-state.c"
