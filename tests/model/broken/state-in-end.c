/* SPDX-License-Identifier: BSD-3-Clause
 * state-in-end.c - an end may undo what a thread still uses
 */
#define BROKEN "STATE in end"
#include "../model-state.c"
