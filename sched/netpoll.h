/* SPDX-License-Identifier: BSD-3-Clause
 * netpoll.h - what the scheduler wants from a poller
 *
 * The one call that goes up the stairs: declared here, defined in uring/netpoll.c (tests link
 * tests/lib/fakepoll.c in its place), joined by the linker. The scheduler never learns what is
 * behind.
 *
 * The poller's state of an M hangs in m->poller, made by netpoll_open on the M's own thread
 * after it is bound to its core, given back by netpoll_close on the same thread. Unless said
 * otherwise a function is called by that thread, on any stack, with m->inside set.
 */
#ifndef QUOIT_SCHED_NETPOLL_H
#define QUOIT_SCHED_NETPOLL_H

#include <stdbool.h>
#include <stdint.h>

struct quoit_g;
struct m;

/* A chain of goroutines made ready, linked by g->link, first to last. */
struct glist {
    struct quoit_g *first, *last;
    int n;
};

/* Once a start and once a shutdown, with no M running. `nprocs` is the number of P's. */
int netpoll_init(int nprocs);
void netpoll_fini(void);
/* In a child of fork(2), once: rings and threads are the parent's, nothing of them is used here. */
void netpoll_after_fork_child(void);

/* Never fails: an M that gets no ring does its I/O in the posix way. */
void netpoll_open(struct m *mp);
/* At the end of all: operations that are still in flight are cancelled, which may take a moment. */
void netpoll_close(struct m *mp);
/* When all are closed: false, if operations could not be cancelled. What they write to, their
 * stacks among it, has to stay; ask again. */
bool netpoll_over(void);

/* Submit what has gathered. Called at a fairness tick only when m->poll_pending is not 0 and the
 * poller's own rule says it is time, and always before the M sleeps or runs dry. */
void netpoll_flush(struct m *mp);
/* How many switches may the first that has gathered wait still? 0: it is old. Costs a look at the
 * clock. */
uint32_t netpoll_rest(struct m *mp);
/* The same where m2 may not look for long. Is there something so old that somebody else should
 * submit it, and may? A hint, any thread. */
bool netpoll_overdue(const struct m *m2, int64_t now);
/* Submits it. Any thread, while m2 is outside and cannot come in. */
void netpoll_flush_for(struct m *m2);

/* Take completions without waiting: those goroutines that became runnable, appended to *ready.
 * They are Gwaiting still; the caller makes them runnable. */
void netpoll_reap(struct m *mp, struct glist *ready);

/* The same for the completions of another M (any thread that holds a P; try-lock inside, so it
 * may return nothing while someone else is at it). */
void netpoll_reap_other(struct m *mp, struct m *m2, struct glist *ready);

/* Sleep until a completion arrives, netpoll_wake is called, or `deadline` (CLOCK_MONOTONIC ns,
 * INT64_MAX: none) has passed. A wake that came before the call is not lost. Completions are
 * left for netpoll_reap. */
void netpoll_sleep(struct m *mp, int64_t deadline);

/* Is an operation of any goroutine under way? A hint, any thread. */
bool netpoll_busy(void);

/* Threads of the poller's own, in no pool of ours. Any thread. */
int netpoll_threads(void);

/* From any thread: end m2's present or next netpoll_sleep. */
void netpoll_wake(struct m *m2);

struct op;

/* Ends an operation early, if that can be done: its goroutine gets -ECANCELED or what it has moved
 * by then. Any thread; the operation is there: its goroutine waits for it and is held so, or it is
 * under the lock of a timer that the goroutine has to take out. */
void netpoll_cancel(struct op *op);

/* Does what others want of mp and only its own thread can. Also without a P. */
void netpoll_mail(struct m *mp);

/* Since start, over all M's and helper threads; a hint, any thread. */
struct poll_numbers {
    uint64_t ring_enters, ring_ops, helper_ops, inline_ops, fixed_ops, fixed_refusals;
};
void netpoll_count(struct poll_numbers *numbers);

#endif
