/* SPDX-License-Identifier: BSD-3-Clause
 * poller-in.c - a poller may be used before it is made
 */
#define BROKEN "POLLER in netpoll_reap_other"
#include "../model-wake.c"
