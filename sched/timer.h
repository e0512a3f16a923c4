/* SPDX-License-Identifier: BSD-3-Clause
 * timer.h - deadlines: a heap of them on each P, and waits that end at one
 *
 * Deadlines are CLOCK_MONOTONIC nanoseconds. The M that holds a P adds to its heap; any thread
 * takes out; whoever looks for work fires what is due on any P, so expired timers are stolen
 * like goroutines. A P that nobody holds keeps its timers. May these run at the same time?
 *
 *             add   del   run
 *      add    no    yes   yes       add: the M holding this P; del, run: anyone
 *      del          yes   yes       all of them under the lock of the heap
 *      run                yes
 *
 * `next` is written under that lock and read without it. A stale one does no harm, for nobody
 * relies on it for what another M adds:
 *
 *     an M that adds a timer               an M that goes to sleep
 *     1. holds the P: nobody watches it    1. gives its P up (sched.lock)
 *     2. timer into the heap, next set     2. looks at all queues and due timers once more
 *     3. runs on; looks at next when the   3. next of the P that it held: sleep until then
 *        fairness tick is due, and before  4. woken for another P: the old one is nobody's
 *        it gives the P up (right side)
 *
 * Both columns are done by one M, or by two between which the P went through sched.lock; so 3 on
 * the right sees all that 2 on the left has put there. What is due on a P that nobody watches, or
 * whose goroutine computes on past all ticks, is found by those that steal and by sysmon: it looks
 * each millisecond while there are timers and anything runs, and before it sleeps until work comes
 * it reads every next under sched.lock, which who added has held since.
 */
#ifndef QUOIT_SCHED_TIMER_H
#define QUOIT_SCHED_TIMER_H

#include "atomic.h"
#include "compiler.h"

#include "gmp.h"
#include "os_linux.h"

/* ---- timers --------------------------------------------------------------------------------- */

#define TIMER_OUT UINT32_MAX

/* In whatever waits, mostly on its stack. Under the lock of the heap. */
struct timer {
    struct timers *in;
    uint32_t slot; /* TIMER_OUT: no longer in there */
    /* Called once, when the deadline has come and the timer is out, under the lock of the heap:
     * short, and takes no lock. Returns the goroutine that goes on or is born now, or NULL. That
     * the lock is held is what lets a timer sit on a stack: after timer_del nobody is in here. */
    struct quoit_g *(*fire)(struct timer *t);
};

/* A hint for anybody: when something is due on pp. INT64_MAX: nothing. */
static always_inline int64_t timers_next(const struct p *pp)
{
    int64_t next = load_relaxed(&pp->timers.next);

    return next != 0 ? next : INT64_MAX;
}

/* Fires what is due on pp, up to a batch; how many. Goroutines that go on come onto mp's own P
 * in the order of their deadlines (without one: where all look), and others are called to help. */
int timers_run(struct m *mp, struct p *pp, int64_t now);

/* For places that are passed often: the clock is read only when there is a timer. */
static inline bool timers_due(const struct p *pp)
{
    int64_t next = timers_next(pp);

    return unlikely(next != INT64_MAX) && next <= nanotime();
}

static inline int timers_look(struct m *mp, struct p *pp)
{
    return unlikely(timers_due(pp)) ? timers_run(mp, pp, nanotime()) : 0;
}

/* On the P that mp holds; t->fire is set, `when` above 0. 0, or -ENOMEM and nothing was done. */
int timer_add(struct m *mp, struct timer *t, int64_t when);
/* Out of the heap; false: it was not in there any more. Any thread; t was added before. */
bool timer_del(struct timer *t);
/* Whether it is in there. Any thread; t was added before. */
bool timer_waits(struct timer *t);

/* With no timer left. */
void timers_fini(struct timers *ts);

/* ---- waits that end at a deadline (sleep.c) ------------------------------------------------- */

/* Who makes the goroutine ready is decided by one word (edge TIMED):
 *
 *     BEFORE     it has not left its stack       -> ASLEEP by itself, when it has
 *     ASLEEP     who takes it out of this state  -> DUE by the timer, CANCELLED by quoit_cancel
 *                makes it ready                  -> WOKEN by timed_wake
 *     DUE        the deadline came first         -> WOKEN, SETTLES: see below
 *     CANCELLED  quoit_cancel came first            the same
 *     SETTLES    as ASLEEP, but only timed_wake ends it
 *     WOKEN      it has been told
 *
 * Whoever finds another state than ASLEEP or SETTLES makes nobody ready, and touches the frame no
 * more. One that finds itself DUE or CANCELLED takes itself out of where others find it, under
 * their lock. If somebody has taken it out already, a wake-up is on its way to this frame: it waits
 * for that (timed_settle), and its wait did not end early. So what was handed to it is not lost. */
enum { TIMED_BEFORE, TIMED_ASLEEP, TIMED_SETTLES, TIMED_WOKEN, TIMED_DUE, TIMED_CANCELLED };

struct timed {
    struct timer timer;
    struct quoit_g *g;
    int (*unlock)(void *);
    void *arg;
    uint32_t word; /* a  TIMED */
};

/* For queues of waiters (sema.h): w.g is NULL and w.timed set. */
struct timed_waiter {
    struct waiter w;
    struct timed t;
};

/* Parks curg until timed_wake or the deadline (INT64_MAX: none). unlock(arg) as in park; before it
 * nobody finds t. Returns the M on which it goes on; see timed_out. Needs no memory: where there is
 * none for the timer, the goroutine yields until its time has come. */
struct m *timed_wait(struct m *mp, struct timed *t, int64_t deadline, int (*unlock)(void *),
                     void *arg, const char *reason);

/* The same within what ends a goroutine's waits early (limit.h). */
struct m *timed_wait_limited(struct m *mp, struct timed *t, int64_t deadline, int (*unlock)(void *),
                             void *arg, const char *reason);
/* The same in two steps: between them whoever knows of t may wake it already. */
void timed_begin(struct timed *t, struct quoit_g *gp);
struct m *timed_wait_begun(struct m *mp, struct timed *t, int64_t deadline, int (*unlock)(void *),
                           void *arg, const char *reason);

/* After either: it ended early. */
static inline bool timed_out(const struct timed *t)
{
    /* order TIMED in: what was done before the wake-up is seen; out: timed_wake */
    return load_acquire(&t->word) >= TIMED_DUE;
}

/* How, once: -ETIMEDOUT or -ECANCELED. */
int timed_error(const struct timed *t);

/* Its goroutine is held where it waits. True: it is the caller's to make ready. */
bool timed_cancel(struct timed *t);

/* After timed_out: somebody else has taken it out, waits until he has told it. */
struct m *timed_settle(struct m *mp, struct timed *t, const char *reason);

/* The same until a deadline, or for no time: timed_out is true then. */
struct m *timed_settle_until(struct m *mp, struct timed *t, int64_t deadline, const char *reason);

/* Once a wait, by who has taken it out of where it was found. mp may be NULL. */
void timed_wake(struct m *mp, struct timed *t);

/* So many nanoseconds from now; INT64_MAX, never, where that is too far to count. */
static inline int64_t deadline_in(int64_t ns)
{
    int64_t now = nanotime();

    return ns < INT64_MAX - now ? now + ns : INT64_MAX;
}

#endif
