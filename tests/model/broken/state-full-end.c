/* SPDX-License-Identifier: BSD-3-Clause
 * state-full-end.c - an end and a thread that comes in may miss each other
 */
#define BROKEN "STATE full end"
#include "../model-state.c"
