/* SPDX-License-Identifier: BSD-3-Clause
 * quiesce-ignored.c - who is wanted no more sleeps all the same, and nobody makes it ready
 */
#define BROKEN_PARK
#include "../model-quiesce.c"
