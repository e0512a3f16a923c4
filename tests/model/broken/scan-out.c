/* SPDX-License-Identifier: BSD-3-Clause
 * scan-out.c - the scan may look over before it is
 */
#define BROKEN "SCAN out"
#include "../model-scan.c"
