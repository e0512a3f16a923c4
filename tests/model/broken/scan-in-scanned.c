/* SPDX-License-Identifier: BSD-3-Clause
 * scan-in-scanned.c - the goroutine may go on before the visit is over
 */
#define BROKEN "SCAN in gstatus_scanned"
#include "../model-scan.c"
