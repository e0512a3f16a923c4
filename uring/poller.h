/* SPDX-License-Identifier: BSD-3-Clause
 * poller.h - what the poller knows of one M
 *
 * Made when the M starts; its ring when the M has its first operation. Records are
 * used again by later M's and freed at the end, so who counts or reaps never holds one
 * that is gone.
 */
#ifndef QUOIT_URING_POLLER_H
#define QUOIT_URING_POLLER_H

#include "lock.h"

#include "fixed.h"
#include "probe.h"
#include "ring.h"
#include "slot.h"

struct m;
struct op;

/* Of submit.c. A round of goroutines that takes longer than ROUND_NS makes the first of them wait
 * too long for its submission. A disk that is told of more at a time, SUBMIT_AT, is told less
 * often, which costs most where it is a virtual one. And the most switches between two
 * submissions, no less than the scheduler's own fairness tick. */
enum { ROUND_NS = 50000, SUBMIT_AT = RING_ENTRIES / 2, SPAN_MOST = 64 };

enum { AWAKE, WOKEN, IN_FUTEX, IN_RING };

struct poller {
    struct ring ring;
    struct m *mp;      /* m  NULL: free for another M */
    int wakefd;        /* m  eventfd, -1: none yet */
    bool armed;        /* a  a read of wakefd is in the ring; under ring_lock while it is */
    bool refused;      /* m  the ring could not be had: do not ask again */
    bool eager;        /* m  submit the first at once (submit.c) */
    int64_t since;     /* m  when the oldest that is not submitted was filled in; hint to others */
    uint64_t tick;     /* m  the P's schedtick then */
    uint32_t span;     /* m  switches after which it is old (submit.c) */
    uint32_t stray;    /* L  operations that were under way when the M ended */
    uint32_t gen;      /* m  tag of the next operation */
    uint64_t wakebuf;  /* m  where that read goes */
    struct slots slots;
    struct fixed fixed;
    struct op *inflight; /* under ring_lock; kept where not all can be cancelled at once */

    struct lock mail;  /*    of the next three (cancel.c) */
    struct op *told;   /*    operations that are to end early */
    uint32_t ntold;    /* a  how many; a hint outside the lock */
    int64_t asked;     /*    when all of them were last asked for */

    /* m  read by others as hints */
    uint64_t ring_ops, helper_ops, inline_ops;

    uint32_t wake cacheline_aligned; /* a  POLL-WAKE: one of the above */
    struct poller *next;             /* c */
};

/* What netpoll_init found and chose. */
extern struct probe probed;
extern bool rings_wanted;

/* The kernel takes nothing, or there are no threads, and nobody else can run: sleeps for a
 * moment, or until woken. The owner. */
void poller_nap(struct poller *pl);

/* Cancels what is in flight; false: not all of it has ended, and the kernel may still write to
 * what it was given. The owner. */
bool poller_drain(struct m *mp);

/* The first entry of a round has been filled in. It must not wait for its submission much longer
 * than ROUND_NS: the scheduler looks at its fairness tick, which is brought forward to after as
 * many switches as fit into that time, by what the last round took. The owner. */
void submit_first(struct m *mp, struct poller *pl);

/* Has the M a ring? Makes it at its first operation. The owner. */
bool poller_ring(struct poller *pl);

#endif
