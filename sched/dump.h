/* SPDX-License-Identifier: BSD-3-Clause
 * dump.h - all P's, M's and goroutines, as text
 *
 * The form is documented in quoit_dump(3) and kept stable for scripts. All functions: any thread,
 * outside; the goroutines go on, each is held only while its stack is looked at.
 */
#ifndef QUOIT_SCHED_DUMP_H
#define QUOIT_SCHED_DUMP_H

#include "env.h"
#include "gmp.h"

/* USER: without the library's own goroutines and frames. */
enum dump_which { DUMP_USER, DUMP_EVERY };

/* 0, or the -errno of a write. Two at once do not mix. */
int dump_goroutines(int fd, enum dump_which which);
/* What quoit_dump says: a summary, P's, M's, then goroutines, the caller's first. from: CALLER. */
int dump_all(int fd, enum dump_which which, const void *from);

/* For a program that is about to end, on any thread, in handlers, with any of our locks held: to
 * stderr, from the running stack outwards, as much as the level says. From TRACEBACK_ALL on no
 * goroutine will ever change its state again. level: not TRACEBACK_UNSET. */
void dump_dying(enum traceback level, bool summary, const void *from);

/* The same when all goroutines are asleep: nothing of who calls. */
void dump_asleep(enum traceback level);

#endif
