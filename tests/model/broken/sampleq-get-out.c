/* SPDX-License-Identifier: BSD-3-Clause
 * sampleq-get-out.c - a sample is written over while it is read
 */
#define BROKEN "SAMPLEQ-GET out"
#include "../model-sampleq.c"
