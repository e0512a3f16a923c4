/* SPDX-License-Identifier: BSD-3-Clause
 * disturb.h - a thread that is in a call of ours which may block is made to come back
 */
#ifndef QUOIT_SCHED_DISTURB_H
#define QUOIT_SCHED_DISTURB_H

#include <pthread.h>
#include <stdbool.h>

/* From here on the calling thread, which has all signals blocked, can be disturbed; and no more. */
void disturb_allow(bool allowed);

/* If the thread blocks, its call ends with EINTR; if it is about to, nothing is gained: again,
 * later. It is there. */
void disturb(pthread_t thread);

/* No thread can be disturbed any more: gives back what was taken. */
void disturb_end(void);

#endif
