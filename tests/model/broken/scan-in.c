/* SPDX-License-Identifier: BSD-3-Clause
 * scan-in.c - the goroutine may go on before a visit that it did not see is over
 */
#define BROKEN "SCAN in gstatus_put"
#include "../model-scan.c"
