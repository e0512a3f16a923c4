/* SPDX-License-Identifier: BSD-3-Clause
 * cancel-out.c - one that was cancelled may not see why
 */
#define BROKEN "CANCEL out mark"
#include "../model-cancel.c"
