/* SPDX-License-Identifier: BSD-3-Clause
 * faultring.c - a kernel that is in trouble with its rings
 */
#include "faultring.h"

#include "atomic.h"
#include "compiler.h"
#include "proc.h"

#include "op.h"
#include "poller.h"

#include <errno.h>

struct faults faults;
uint32_t fault_calls, fault_refused, fault_spoiled;

/* What op->res is while the completion has been looked at. */
enum { LOOKED_AT = 0x5eed };

int __real_io_uring_enter2(unsigned fd, unsigned submit, unsigned wait, unsigned flags, void *arg,
                           size_t bytes);
int __wrap_io_uring_enter2(unsigned fd, unsigned submit, unsigned wait, unsigned flags, void *arg,
                           size_t bytes);
int __real_io_uring_queue_init_params(unsigned entries, struct io_uring *u,
                                      struct io_uring_params *params);
int __wrap_io_uring_queue_init_params(unsigned entries, struct io_uring *u,
                                      struct io_uring_params *params);

static void spoil_one(struct io_uring_cqe *cqe, uint32_t every)
{
    static const int errors[] = { -EINTR, -EAGAIN, -ECANCELED };
    static uint32_t reads; /* under some ring's lock each: nearly right is enough */
    struct op *op = (struct op *)(uintptr_t)(cqe->user_data >> 20 << 4);

    if (cqe->user_data <= UD_WAKE || op->res == LOOKED_AT || op->desc != &ops[OP_PREAD])
        return;
    op->res = LOOKED_AT;
    if (add_relaxed(&reads, 1) % every != 0)
        return;
    cqe->res = errors[add_relaxed(&fault_spoiled, 1) % array_len(errors)];
}

/* All that have completed and were not taken, each once. */
static void spoil(uint32_t every)
{
    struct m *mp = m_get();
    struct ring *r;

    if (mp == NULL || mp->poller == NULL)
        return;
    r = &mp->poller->ring;
    if (!ring_trylock(r))
        return;
    for (unsigned at = load_relaxed(r->cq_head), end = load_acquire(r->cq_tail); at != end; at++)
        spoil_one(&r->cqes[at & r->cq_mask], every);
    ring_unlock(r);
}

int __wrap_io_uring_enter2(unsigned fd, unsigned submit, unsigned wait, unsigned flags, void *arg,
                           size_t bytes)
{
    static const int errors[] = { -EAGAIN, -EBUSY, -ENOMEM, -EINTR };
    uint32_t n = add_relaxed(&fault_calls, 1), every = load_relaxed(&faults.every);
    uint32_t take = load_relaxed(&faults.take), spoils = load_relaxed(&faults.spoil);
    int64_t until = load_relaxed(&faults.until);
    int e;

    if (load_relaxed(&faults.all) || (until != 0 && nanotime() < until)) {
        add_relaxed(&fault_refused, 1);
        return -EBUSY;
    }
    if (n < load_relaxed(&faults.first) || (every > 0 && n % every != 0)) {
        add_relaxed(&fault_refused, 1);
        return errors[n % array_len(errors)];
    }
    if (take > 0 && submit > take) {
        submit = take;
        store_relaxed(&faults.take, 0);
    }
    e = __real_io_uring_enter2(fd, submit, wait, flags, arg, bytes);
    if (spoils > 0)
        spoil(spoils);
    return e;
}

int __wrap_io_uring_queue_init_params(unsigned entries, struct io_uring *u,
                                      struct io_uring_params *params)
{
    if (params->flags & load_relaxed(&faults.setup)) {
        add_relaxed(&fault_refused, 1);
        return -EPERM;
    }
    return __real_io_uring_queue_init_params(entries, u, params);
}
