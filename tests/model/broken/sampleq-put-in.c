/* SPDX-License-Identifier: BSD-3-Clause
 * sampleq-put-in.c - what is read of a sample may be what stood there before
 */
#define BROKEN "SAMPLEQ-PUT in"
#include "../model-sampleq.c"
