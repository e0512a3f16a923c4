/* SPDX-License-Identifier: BSD-3-Clause
 * scan-full-light.c - a scanner and a change of state may miss each other
 */
#define BROKEN "SCAN full gstatus_put"
#include "../model-scan.c"
