/* SPDX-License-Identifier: BSD-3-Clause
 * state-out.c - a start may look done before it is
 */
#define BROKEN "STATE out init1"
#include "../model-state.c"
