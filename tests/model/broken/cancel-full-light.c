/* SPDX-License-Identifier: BSD-3-Clause
 * cancel-full-light.c - who parks may look for a mark before it shows as waiting
 */
#define BROKEN "CANCEL full gstatus_put"
#include "../model-cancel.c"
