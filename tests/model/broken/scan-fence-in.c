/* SPDX-License-Identifier: BSD-3-Clause
 * scan-fence-in.c - who finds a scan over may not see what the scanner did
 */
#define BROKEN "FENCE in"
#include "../model-scan.c"
