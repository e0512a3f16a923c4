/* SPDX-License-Identifier: BSD-3-Clause
 * waker-in.c - the poller of an M may go away under who wakes it
 */
#define BROKEN "WAKER in"
#include "../model-waker.c"
