/* SPDX-License-Identifier: BSD-3-Clause
 * ring.h - one io_uring of one thread
 *
 * The owner, the thread that opened it, fills entries, submits and waits. Completions
 * may be taken by any thread, one at a time (ring_lock). May these run at the same
 * time?
 *
 *                entry/submit/wait   reap
 *     entry...   no                  yes     owner only
 *     reap                           no      anyone who holds ring_lock
 *
 * Taking completions touches khead and ktail only and never enters the kernel: it
 * would be the wrong thread for it. When the kernel holds back completions because the
 * queue is full, or because the owner has not been in the kernel, only the owner can
 * fetch them (ring_fetch).
 */
#ifndef QUOIT_URING_RING_H
#define QUOIT_URING_RING_H

#include "atomic.h"
#include "compiler.h"

#include <liburing.h>
#include <stdbool.h>
#include <stdint.h>

struct ring {
    /* The owner's. */
    int fd;                /* c  -1: not open */
    bool polled;           /* c  a thread of the kernel looks for entries; edge RING-SQ */
    int enter_fd;          /* c  what io_uring_enter wants: fd, or its registered index */
    unsigned enter_flags;  /* c */
    unsigned sq_mask;      /* c */
    unsigned *sq_head;     /* c  written by the kernel; edge RING-SQ */
    unsigned *sq_tail;     /* c  RING-SQ */
    unsigned *sq_flags;    /* c  written by the kernel */
    struct io_uring_sqe *sqes; /* c */
    unsigned sq_next;      /* m  entries handed out */
    uint64_t enters;       /* m  io_uring_enter calls; read by others as a hint */
    struct io_uring liburing; /* c  for set-up and end only */

    /* Who takes completions. */
    uint32_t reaping cacheline_aligned; /* a  RING-REAP: 1 while somebody does, or it is closed */
    unsigned cq_mask;      /* c */
    unsigned *cq_head;     /* c  RING-CQ; written under ring_lock */
    unsigned *cq_tail;     /* c  RING-CQ; written by the kernel */
    struct io_uring_cqe *cqes; /* c */
} cacheline_aligned;

assert_apart(struct ring, sq_next, reaping);

/* Once, before anybody sees it: closed, and so locked. */
void ring_init(struct ring *r);
/* A closed one, on the thread that is to own it, after it was bound; flags as ring_flags has
 * them. 0 or -errno, and then it is still closed. */
int ring_open(struct ring *r, unsigned entries, unsigned flags);
/* The owner. Nothing may be in flight. Waits for who is taking completions; from then on
 * nobody can. */
void ring_close(struct ring *r);

/* The k-th set of IORING_SETUP_ flags from most to least wanted; false: there is no k-th. */
bool ring_flags(int k, unsigned *flags);

/* Workers of the kernel for this thread's rings: a few, and on these cpus. The owner; refusals
 * do no harm. */
void ring_workers(struct ring *r, const unsigned long *cpus, size_t bytes);

/* Places for n files that have no descriptor. The owner. 0 or -errno. */
int ring_slots(struct ring *r, unsigned n);

/* Places for n pieces of memory that stays pinned; which one is in place i from now on, 0 bytes:
 * none. The owner. 0 or -errno. */
int ring_places_for_memory(struct ring *r, unsigned n);
int ring_put_memory(struct ring *r, int i, void *p, size_t bytes);

/* An entry to fill in, all zero, or NULL: full, submit first. */
struct io_uring_sqe *ring_entry(struct ring *r);
/* How many are filled in and not taken by the kernel. */
static inline unsigned ring_pending(const struct ring *r)
{
    /* order RING-SQ in: the kernel is done with what is filled again; out: the kernel */
    return r->sq_next - load_acquire(r->sq_head);
}
/* How many a submission has left over. Who looks for entries by itself takes them all, later. */
static inline unsigned ring_left(const struct ring *r)
{
    return r->polled ? 0 : ring_pending(r);
}
/* Gives back the one handed out last, if it was not submitted, or the kernel did not take it. */
void ring_unget(struct ring *r);

/* Forgets all that are filled in and will not be taken. */
void ring_drop_pending(struct ring *r);

/* Makes sure of room where the kernel takes entries by itself; else it returns at once. */
void ring_room(struct ring *r);

/* Submits all; how many the kernel took, or -EAGAIN, -EBUSY, -ENOMEM: later. Entries not taken
 * stay. Where it took some, and the last of them has another one that is to follow it, the rest is
 * not submitted. */
int ring_submit(struct ring *r);
/* The same, then waits for a completion or the deadline (CLOCK_MONOTONIC ns, INT64_MAX: none).
 * 0, or -EAGAIN, -EBUSY, -ENOMEM: nothing was taken and there was no waiting; also returns
 * early. */
int ring_wait(struct ring *r, int64_t deadline);
/* Looks for a completion for a moment, outside the kernel; false: none, or the deadline has
 * passed, or *word is no longer `value`. The owner. */
bool ring_watch(const struct ring *r, int64_t deadline, const uint32_t *word, uint32_t value);
/* Are completions held back that only the owner can bring out? Any thread. */
static inline bool ring_held_back(const struct ring *r)
{
    /* hint: what is missed now is seen at the next look */
    return load_relaxed(r->sq_flags) & (IORING_SQ_CQ_OVERFLOW | IORING_SQ_TASKRUN);
}
/* The owner brings them out. */
void ring_fetch(struct ring *r);

/* Cancels what has this user_data, on a ring without SINGLE_ISSUER by any thread; does not wait.
 * Under ring_lock, so it is open. -ENOENT: there is none; -EALREADY: it may be about to end;
 * -EINVAL: the kernel is too old. */
int ring_cancel_sync(const struct ring *r, uint64_t tag);

/* Anything to take? A hint; the owner, or under ring_lock: a closed ring has no memory to look
 * at. */
static inline bool ring_ready(const struct ring *r)
{
    return load_relaxed(r->cq_tail) != load_relaxed(r->cq_head);
}

/* False as well when the ring is closed. */
static inline bool ring_trylock(struct ring *r)
{
    uint32_t seen = 0;

    /* order RING-REAP in: what the last one did with the completions is seen; out: ring_unlock */
    return load_relaxed(&r->reaping) == 0 && cas_acquire(&r->reaping, &seen, 1);
}

/* The owner looks at ring_ready again: somebody may have found the lock taken and gone. Others
 * cannot look any more, but what they miss the owner sees, at the latest when it goes to
 * sleep. */
static inline void ring_unlock(struct ring *r)
{
    /* order RING-REAP full: given back before the tail is looked at again; in: ring_trylock */
    xchg_full(&r->reaping, 0);
}

/* The next completion, under ring_lock, or NULL; it stays until ring_took. */
static inline const struct io_uring_cqe *ring_peek(const struct ring *r)
{
    unsigned head = load_relaxed(r->cq_head);

    /* order RING-CQ in: the entry was written before tail showed it; out: the kernel */
    if (load_acquire(r->cq_tail) == head)
        return NULL;
    return &r->cqes[head & r->cq_mask];
}

/* What the n-th after the next says. A hint: it may not be there yet, and be of old. */
static inline uint64_t ring_ahead(const struct ring *r, unsigned n)
{
    return load_relaxed(&r->cqes[(load_relaxed(r->cq_head) + n) & r->cq_mask].user_data);
}

static inline void ring_took(struct ring *r)
{
    /* order RING-CQ out: the entry was read before the kernel may write it again; in: the kernel */
    store_release(r->cq_head, load_relaxed(r->cq_head) + 1);
}

#endif
