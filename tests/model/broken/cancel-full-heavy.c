/* SPDX-License-Identifier: BSD-3-Clause
 * cancel-full-heavy.c - who cancels may miss one that has parked
 */
#define BROKEN "CANCEL full end_wait"
#include "../model-cancel.c"
