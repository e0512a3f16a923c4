/* SPDX-License-Identifier: BSD-3-Clause
 * forkq-no-count.c - a put that leaves the count of puts as it is: a pop and a put bring
 * the old word back, and a thief takes what it copied before them
 */
#define BROKEN_PUT "broken/forkq-no-count.h"
#include "../model-forkq.c"
