/* SPDX-License-Identifier: BSD-3-Clause
 * state-full-enter.c - an end and a thread that comes in may miss each other
 */
#define BROKEN "STATE full foreign_enter"
#include "../model-state.c"
