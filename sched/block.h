/* SPDX-License-Identifier: BSD-3-Clause
 * block.h - calls that may block, made by threads of a pool
 *
 * For quoit_block and for I/O without rings. A job is a record on the stack of the goroutine
 * that waits for it:
 *
 *     if (!block_submit(&job, &thread))
 *         make the call here;
 *     mp = park(mp, block_go, thread, reason);
 *
 * job.run makes the call and ends with block_ready: from there on the record is gone. The thread
 * may be through before the goroutine has left its stack; ready waits for that. It is woken only
 * after the goroutine has parked (block_go), so that it does not wait for what it interrupts.
 */
#ifndef QUOIT_SCHED_BLOCK_H
#define QUOIT_SCHED_BLOCK_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct quoit_g;
struct block_thread;

/* What decides how many are made at once. */
enum block_kind {
    BLOCK_ENDS,  /* by itself, soon: a few threads keep the device busy */
    BLOCK_LASTS, /* may wait for somebody else's: bounded by QUOIT_MAXBLOCKED */
    BLOCK_KINDS
};

struct block_job {
    void (*run)(struct block_job *job);
    struct block_job *next;
    uint8_t kind; /* enum block_kind */
    bool cancel;  /* at the end the thread is cancelled; run enables that where it may be */
};

/* Once a start. */
int block_init(void);
/* How many of BLOCK_ENDS at once. Before the first job. */
void block_bound(int max);
/* No more jobs: those that wait are dropped, those that are made may take grace_ns. True: no
 * thread is left. False: the memory that they use has to stay; ask again. */
bool block_end(int64_t grace_ns);
/* The threads are the parent's: from now on no job can be had. */
void block_after_fork_child(void);

/* False: there is no thread for it and none can be started. *thread is for block_go. Any thread;
 * errno is left alone. */
bool block_submit(struct block_job *job, struct block_thread **thread);
/* Lets the thread start, unless it is NULL: another one takes the job when it is free. Always 1,
 * as it suits park. */
int block_go(void *thread);
/* The job is to end early, and run looks whether it is. True: no thread has begun it, and none
 * will. Else the one that makes it is disturbed, if it can be (disturb.h). */
bool block_take_back(const struct block_job *job);
/* The job is over: its goroutine goes on, unless Quoit ends. Any thread that is not ours. */
void block_ready(struct quoit_g *gp);

/* Jobs that are made or wait, and threads that there are. Hints; any thread. */
int block_count(void);
int block_threads(void);

/* How long a thread without a job stays. */
extern int64_t block_idle_ns;

/* A thread with all signals blocked and the process's cpus; -errno. */
int plain_thread(pthread_t *thread, void *(*fn)(void *), void *arg);

#endif
