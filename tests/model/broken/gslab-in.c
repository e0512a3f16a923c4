/* SPDX-License-Identifier: BSD-3-Clause
 * gslab-in.c - a visitor may look at a record that is not whole
 */
#define BROKEN "GSLAB in"
#include "../model-gslab.c"
