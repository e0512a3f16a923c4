/* SPDX-License-Identifier: BSD-3-Clause
 * retake.h - P's are taken from who holds them for too long
 *
 * All of it is for sysmon's thread.
 */
#ifndef QUOIT_SCHED_RETAKE_H
#define QUOIT_SCHED_RETAKE_H

#include <stdint.h>

/* 0 or -ENOMEM. */
int retake_init(void);
void retake_fini(void);

/* Looks at every P; how many were taken. */
int retake(int64_t now);
/* After a look: so long may pass until the next one. */
int64_t retake_pause(int64_t now);
/* All clocks stood still for a while: what was seen before means nothing. */
void retake_forget(void);

#endif
