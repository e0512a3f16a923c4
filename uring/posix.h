/* SPDX-License-Identifier: BSD-3-Clause
 * posix.h - the same operations without rings
 *
 * First the call is tried without blocking. What would block waits in one of two
 * places: for readiness in the watcher, one thread that polls; or, where readiness
 * says nothing (files), in a thread of the pool (sched/block.h) that makes the plain
 * call.
 */
#ifndef QUOIT_URING_POSIX_H
#define QUOIT_URING_POSIX_H

#include "block.h"
#include "timer.h"

#include "op.h"

#include <stdint.h>

/* A call that a thread of the pool is to make: where it stays until it is over. */
struct helped {
    struct block_job job;
    struct timed t;
    struct op *op;
    bool told; /* a  to end early: whoever has it finishes it with -ECANCELED */
};

/* Once a start; nothing is started before it is needed. */
void posix_init(int nprocs);
/* In a child of fork. */
void posix_after_fork_child(void);

/* Is it to end early? Who has it finishes it. */
static inline bool posix_told(const struct op *op)
{
    /* hint: who says so wakes us afterwards */
    return load_relaxed(&op->helped->told);
}

/* The goroutine waits for the operation; op->res has the result. */
struct m *posix_wait(struct m *mp, struct op *op);

/* The same for one that nobody waits for: true: it is under way, and ends by op_finish, perhaps
 * before this returns. False: op->res has the result; -EINTR: it is to be begun again. */
bool posix_begin(struct m *mp, struct op *op, struct helped *h);

/* A job of n operations to a thread of the pool, which block_go then wakes; each of them ends by
 * posix_finish. False: there is none. */
bool posix_give(struct m *mp, struct block_job *job, int n, struct block_thread **thread);
/* There: the plain call, which can be cancelled; and its end. */
long posix_call(struct op *op);
void posix_finish(struct op *op, long res);

/* What can be done without blocking: the result, or -EAGAIN, -EOPNOTSUPP, LOOK_LASTS. */
long posix_try(struct op *op);
/* Is it one that may wait for somebody else? */
bool posix_lasts(const struct op *op);

/* Operations under way, a hint. */
uint32_t posix_busy(void);

/* Threads of the pool that there are, a hint. */
int posix_helpers(void);

#endif
