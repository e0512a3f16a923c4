/* SPDX-License-Identifier: BSD-3-Clause
 * scan-full-heavy.c - a scanner and a change of state may miss each other
 */
#define BROKEN "SCAN full gscan_begin"
#include "../model-scan.c"
