/* SPDX-License-Identifier: BSD-3-Clause
 * state-in-enter.c - a thread may come in before all is made
 */
#define BROKEN "STATE in foreign_enter"
#include "../model-state.c"
