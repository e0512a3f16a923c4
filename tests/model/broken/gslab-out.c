/* SPDX-License-Identifier: BSD-3-Clause
 * gslab-out.c - a record may be counted before it is whole
 */
#define BROKEN "GSLAB out"
#include "../model-gslab.c"
