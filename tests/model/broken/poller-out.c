/* SPDX-License-Identifier: BSD-3-Clause
 * poller-out.c - a poller may be found before it is made
 */
#define BROKEN "POLLER out netpoll_open"
#include "../model-wake.c"
