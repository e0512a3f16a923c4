/* SPDX-License-Identifier: BSD-3-Clause
 * sema.c - the counting semaphore, and how anything waits
 *
 * One word: the count, a bit that locks the queue of waiters, a bit that says somebody waits.
 * While the lock bit is set nobody else changes the word, so letting go is a plain store. Who
 * parks keeps the lock until it has left its stack; so a post finds nobody in the queue who
 * could not be readied. With waiters the count is 0, and a post hands over to the first: nobody
 * overtakes.
 */
#include "sema.h"

#include "cpu.h"

#include "init.h"
#include "switch.h"
#include "throw.h"
#include "timer.h"

#include <errno.h>

/* ---- waiting -------------------------------------------------------------------------------- */

struct m *waiter_wait(struct m *mp, struct waiter *w, int (*unlock)(void *), void *arg,
                      const char *reason)
{
    if (likely(mp != NULL))
        return park(mp, unlock, arg, reason);
    if (unlock(arg) != 0)
        note_sleep(&w->note, INT64_MAX);
    return NULL;
}

void waiter_wake(struct m *mp, struct waiter *w)
{
    if (unlikely(w->g == NULL)) {
        if (w->timed)
            timed_wake(mp, &container_of(w, struct timed_waiter, w)->t);
        else
            note_wake(&w->note);
    } else if (likely(mp != NULL)) {
        ready(mp, w->g);
    } else if (foreign_enter()) {
        /* Once it is ready it may be the last to end, and everything may go away. */
        ready(NULL, w->g);
        foreign_leave();
    }
}

void word_pause(int *spins)
{
    if (++*spins < 100)
        cpu_relax();
    else
        os_yield();
}

/* ---- the semaphore -------------------------------------------------------------------------- */

#define LOCKED 1u
#define WAITERS 2u
#define ONE (UINT64_C(1) << 32)

struct sema {
    uint64_t word; /* a  SEMA */
    struct waiter *queue; /* under LOCKED */
};
_Static_assert(sizeof(struct sema) == sizeof(quoit_sema), "public size");

static inline uint32_t count(uint64_t word)
{
    return (uint32_t)(word >> 32);
}

/* Sets LOCKED; returns the word without it. */
static uint64_t lock_queue(struct sema *s)
{
    uint64_t word = load_relaxed(&s->word);
    int spins = 0;

    for (;;) {
        /* order SEMA in: what the last holder did to the queue; out: unlock_queue, quoit_sema_post.
         * order PARK in: who parked holding it has left its stack; out: finish_park_store */
        if (!(word & LOCKED) && cas_acquire(&s->word, &word, word | LOCKED))
            return word;
        if (word & LOCKED) {
            word_pause(&spins);
            word = load_relaxed(&s->word);
        }
    }
}

static inline void unlock_queue(struct sema *s, uint64_t word)
{
    /* order SEMA out: the queue is whole, and who parked has left its stack; in: lock_queue */
    store_release(&s->word, word);
}

static bool take(struct sema *s)
{
    uint64_t word = load_relaxed(&s->word);

    while (count(word) > 0 && !(word & LOCKED)) {
        /* order SEMA in: what was done before the post is seen; out: quoit_sema_post */
        if (cas_acquire(&s->word, &word, word - ONE))
            return true;
    }
    return false;
}

/* With the queue locked: into it, and asleep. A goroutine's waiter sits in its record, so a
 * post need not touch its stack. */
static always_inline struct m *wait_in_queue(struct sema *s, struct m *mp)
{
    mp->curg->waiter.g = mp->curg;
    waitq_put(&s->queue, &mp->curg->waiter);
    return park_store(mp, &s->word, WAITERS, "semaphore");
}

static cold void thread_waits(struct sema *s)
{
    struct waiter thread = { .g = NULL };

    waitq_put(&s->queue, &thread);
    unlock_queue(s, WAITERS);
    note_sleep(&thread.note, INT64_MAX);
}

static void wait_slow(void *arg)
{
    struct sema *s = arg;
    struct m *mp = enter();
    uint64_t word = lock_queue(s);

    if (unlikely(count(word) > 0))
        unlock_queue(s, word - ONE);
    else if (likely(mp != NULL))
        mp = wait_in_queue(s, mp);
    else
        thread_waits(s);
    if (likely(mp != NULL))
        leave(mp);
}

/* Where a wait ends at its deadline: out of the queue, unless a post has taken it out before. */
static bool withdraw(struct sema *s, struct waiter *w)
{
    uint64_t word = lock_queue(s);
    bool was_there = !w->handed;

    if (was_there) {
        waitq_del(&s->queue, w);
        word = s->queue != NULL ? WAITERS : 0;
    }
    unlock_queue(s, word);
    return was_there;
}

static int leave_queue(void *arg)
{
    /* order SEMA out: the queue is whole; in: lock_queue */
    store_release(&((struct sema *)arg)->word, WAITERS);
    return 1;
}

static int wait_thread_until(struct sema *s, int64_t deadline)
{
    struct waiter w = { .g = NULL };

    waitq_put(&s->queue, &w);
    unlock_queue(s, WAITERS);
    if (note_sleep(&w.note, deadline))
        return 0;
    if (withdraw(s, &w))
        return -ETIMEDOUT;
    note_sleep(&w.note, INT64_MAX);
    return 0;
}

/* With the queue locked. */
static int wait_until(struct sema *s, struct m **mp, int64_t deadline)
{
    struct timed_waiter tw = { .w.timed = true };

    if (*mp == NULL)
        return wait_thread_until(s, deadline);
    waitq_put(&s->queue, &tw.w);
    *mp = timed_wait_limited(*mp, &tw.t, deadline, leave_queue, s, "semaphore");
    if (!timed_out(&tw.t))
        return 0;
    if (withdraw(s, &tw.w))
        return timed_error(&tw.t);
    *mp = timed_settle(*mp, &tw.t, "semaphore");
    return 0;
}

static noinline int until_slow(struct sema *s, int64_t deadline)
{
    struct m *mp = enter();
    uint64_t word = lock_queue(s);
    int e = 0;

    if (count(word) > 0)
        unlock_queue(s, word - ONE);
    else
        e = wait_until(s, &mp, deadline);
    if (mp != NULL)
        leave(mp);
    return e;
}

static noinline void post_slow(struct sema *s)
{
    struct m *mp = enter();
    uint64_t word = lock_queue(s);
    struct waiter *w = NULL;

    if (word & WAITERS) {
        w = waitq_get(&s->queue);
        if (unlikely(w->g == NULL))
            w->handed = true;
        word = s->queue != NULL ? WAITERS : 0;
    } else {
        CHECK(count(word) < INT32_MAX, "the count is at INT32_MAX");
        word += ONE;
    }
    unlock_queue(s, word);
    if (w != NULL)
        waiter_wake(mp, w);
    if (mp != NULL)
        leave(mp);
}

void quoit_sema_init(quoit_sema *qs, unsigned n)
{
    struct sema *s = (struct sema *)qs;

    CHECK(n <= INT32_MAX, "a count is at most INT32_MAX");
    s->queue = NULL;
    store_relaxed(&s->word, n * ONE);
}

void quoit_sema_wait(quoit_sema *qs)
{
    struct sema *s = (struct sema *)qs;

    if (!take(s))
        context_tail(wait_slow, s);
}

int quoit_sema_wait_until(quoit_sema *qs, int64_t deadline_ns)
{
    struct sema *s = (struct sema *)qs;

    if (quoit_sema_trywait(qs) == 0)
        return 0;
    return deadline_ns > nanotime() ? until_slow(s, deadline_ns) : -ETIMEDOUT;
}

int quoit_sema_trywait(quoit_sema *qs)
{
    struct sema *s = (struct sema *)qs;
    uint64_t word;
    int spins = 0;

    /* A count that cannot be taken because the queue is locked is not 0. */
    while (!take(s)) {
        word = load_relaxed(&s->word);
        if (word & LOCKED)
            word_pause(&spins);
        else if (count(word) == 0)
            return -EAGAIN;
    }
    return 0;
}

void quoit_sema_post(quoit_sema *qs)
{
    struct sema *s = (struct sema *)qs;
    uint64_t word = load_relaxed(&s->word);

    while (!(word & (LOCKED | WAITERS))) {
        CHECK(count(word) < INT32_MAX, "the count is at INT32_MAX");
        /* order SEMA out: what was done before the post comes first; in: take, lock_queue */
        if (likely(cas_release(&s->word, &word, word + ONE)))
            return;
    }
    post_slow(s);
}
