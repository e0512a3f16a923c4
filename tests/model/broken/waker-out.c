/* SPDX-License-Identifier: BSD-3-Clause
 * waker-out.c - a wakeup may seem over before it is
 */
#define BROKEN "WAKER out"
#include "../model-waker.c"
