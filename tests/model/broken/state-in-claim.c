/* SPDX-License-Identifier: BSD-3-Clause
 * state-in-claim.c - a start may begin in the middle of an end
 */
#define BROKEN "STATE in claim"
#include "../model-state.c"
