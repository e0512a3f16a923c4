/* SPDX-License-Identifier: BSD-3-Clause
 * fakepoll.h - what a test may do to the poller that never has I/O
 */
#ifndef QUOIT_TESTS_FAKEPOLL_H
#define QUOIT_TESTS_FAKEPOLL_H

#include "netpoll.h"

/* Goroutines that wait; the next netpoll_reap returns them as completed. One P only. The
 * scheduler looks while m->poll_inflight is not 0. */
extern struct glist fakepoll_ready;

/* Threads that have gone, and what they had gathered and took along. */
extern uint32_t fakepoll_closed, fakepoll_dropped;

/* What netpoll_rest says. */
extern uint32_t fakepoll_rest;

#endif
