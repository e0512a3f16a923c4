/* SPDX-License-Identifier: BSD-3-Clause
 * sampleq-get-in.c - a sample is written into slots that are still being read
 */
#define BROKEN "SAMPLEQ-GET in"
#include "../model-sampleq.c"
