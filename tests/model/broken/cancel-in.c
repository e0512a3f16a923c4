/* SPDX-License-Identifier: BSD-3-Clause
 * cancel-in.c - one that was cancelled may not see why
 */
#define BROKEN "CANCEL in take_mark"
#include "../model-cancel.c"
