/* SPDX-License-Identifier: BSD-3-Clause
 * watch.h - the watcher: one thread in which operations wait for readiness, where there is no ring
 */
#ifndef QUOIT_URING_WATCH_H
#define QUOIT_URING_WATCH_H

struct op;

/* Once a start. */
void watch_init(void);
/* It is gone when this returns. */
void watch_fini(void);
/* It is the parent's. */
void watch_after_fork_child(void);

/* It is there, or will be: 0, or -errno. Under m->locks. */
int watch_start(void);
/* op waits for its descriptor; after watch_start. It ends by posix_finish, or is given to the
 * pool. Any thread. */
void watch_put(struct op *op);
/* Somebody in there is to end early. Any thread. */
void watch_disturb(void);

/* 1: it has been started. */
int watch_threads(void);

#endif
