/* SPDX-License-Identifier: BSD-3-Clause
 * poll-wake-out.c - the wakeup may come before what it is about
 */
#define BROKEN "POLL-WAKE out"
#include "../model-wake.c"
