/* SPDX-License-Identifier: BSD-3-Clause
 * sampleq-put-out.c - a sample is taken before it is whole
 */
#define BROKEN "SAMPLEQ-PUT out"
#include "../model-sampleq.c"
