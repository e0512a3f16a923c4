/* SPDX-License-Identifier: BSD-3-Clause
 * mutex.c - a lock for goroutines
 *
 * Free and held without waiters are two values of one word, and the common lock and unlock are
 * one compare-and-swap each, which quoit_mutex.h does in the caller before it comes here. An unlock
 * with waiters lets the first one go and leaves the mutex free: whoever runs may take it meanwhile,
 * which keeps a busy mutex on the core that uses it. One that was let go and found the mutex taken
 * again goes back to the head of the queue; when it has waited STARVING_NS it gets the mutex handed
 * over.
 *
 * Who finds it held looks again for a while before it waits (spin_lock), and each look takes the
 * word's line from the core that works under the mutex. Where sections are short that is most of
 * their cost, so an M that loses a free mutex to another looks less often from then on: the mutex
 * stays on one core for many sections.
 *
 * LOCKED guards the queue as in sema.c: while it is set nobody else changes the word.
 */
#include "cpu.h"

#include "sema.h"
#include "throw.h"

#include <errno.h>

enum {
    HELD = 1,
    LOCKED = 2,
    WAITERS = 4,
    WOKEN = 8, /* one that was let go has not tried yet: no need to let go another */
};

enum {
    STARVING_NS = 1000000,
    SPIN_PAUSES = 31, /* of the processor, in all, of an M that has learned nothing */
    SPINLOG_MAX = 6,  /* most of them between two looks, as a power of two */
    SPINLOG_UP = 2,   /* by how much the M's first one grows when a free mutex was lost */
};

struct mutex {
    uint64_t word; /* a  MUTEX */
    struct waiter *queue; /* under LOCKED */
};
_Static_assert(sizeof(struct mutex) == sizeof(quoit_mutex), "public size");
_Static_assert(HELD == 1 && offsetof(struct mutex, word) == 0, "as quoit_mutex.h says");

struct mutex_waiter {
    struct waiter w;
    struct mutex *m;
    uint64_t word;  /* what it leaves behind when it has parked */
    int64_t since;  /* when it first waited */
    bool woken;     /* was let go before: the WOKEN in the word is its own */
};

static int unlock_waiting(void *arg)
{
    struct mutex_waiter *mw = arg;

    /* order MUTEX out: the queue is whole, and who parked has left its stack; in: unlock_slow */
    store_release(&mw->m->word, mw->word);
    return 1;
}

/* Tries once, barging: true with the mutex held. *word is what is there now. */
static inline bool try_lock(struct mutex *m, uint64_t *word, bool woken)
{
    uint64_t want = (*word | HELD) & ~(uint64_t)(woken ? WOKEN : 0);

    /* order MUTEX in: what the last holder did is seen; out: quoit_mutex_unlock, try_unlock */
    return !(*word & (HELD | LOCKED)) && cas_acquire(&m->word, word, want);
}

/* How long this M pauses first next time: longer after a free mutex was lost to another. */
static void spin_learn(struct m *mp, bool lost)
{
    if (mp == NULL)
        return;
    if (lost)
        mp->spinlog = mp->spinlog + SPINLOG_UP < SPINLOG_MAX ? mp->spinlog + SPINLOG_UP
                                                             : SPINLOG_MAX;
    else if (mp->spinlog > 0)
        mp->spinlog--;
}

static bool spin_lock(struct m *mp, struct mutex *m, bool woken)
{
    uint32_t log = mp != NULL ? mp->spinlog : 0, pause = 1u << log, most = SPIN_PAUSES << log / 2;
    bool seen_free = false;

    if (load_relaxed(&sched.nprocs) <= 1)
        return false;
    for (uint32_t spent = 0; spent < most;) {
        uint64_t word;

        for (uint32_t i = 0; i < pause; i++)
            cpu_relax();
        word = load_relaxed(&m->word);
        if (!(word & (HELD | LOCKED))) {
            bool got = try_lock(m, &word, woken);

            spin_learn(mp, !got);
            if (got)
                return true;
            seen_free = true;
        }
        spent += pause;
        if (pause < 1u << SPINLOG_MAX)
            pause *= 2;
    }
    /* A long section: to look often costs its holder nothing. */
    if (!seen_free)
        spin_learn(mp, false);
    return false;
}

/* Into the queue and asleep; or true when the mutex was got on the way there. */
static bool lock_or_wait(struct m **mp, struct mutex_waiter *mw)
{
    struct mutex *m = mw->m;
    uint64_t word = load_relaxed(&m->word);
    int spins = 0;

    for (;;) {
        if (try_lock(m, &word, mw->woken))
            return true;
        if (word & LOCKED) {
            word_pause(&spins);
            word = load_relaxed(&m->word);
            continue;
        }
        /* order MUTEX in: the queue as the last one left it; out: unlock_waiting, unlock_slow */
        if ((word & HELD) && cas_acquire(&m->word, &word, word | LOCKED))
            break;
    }
    mw->word = word | WAITERS;
    if (mw->woken) {
        mw->word &= ~(uint64_t)WOKEN;
        waitq_put_first(&m->queue, &mw->w);
    } else {
        waitq_put(&m->queue, &mw->w);
    }
    *mp = waiter_wait(*mp, &mw->w, unlock_waiting, mw, "mutex");
    note_clear(&mw->w.note);
    return mw->w.handed;
}

static void lock_slow_path(void *arg)
{
    struct mutex *m = arg;
    struct m *mp = enter();
    struct mutex_waiter mw = { .m = m, .w.g = mp != NULL ? mp->curg : NULL };

    while (!spin_lock(mp, m, mw.woken)) {
        if (mw.since == 0)
            mw.since = nanotime();
        if (lock_or_wait(&mp, &mw))
            break;
        mw.woken = true;
    }
    if (mp != NULL)
        leave(mp);
}

/* Free for whoever comes: nobody waits, or one that was let go has yet to try. */
static inline bool try_unlock(struct mutex *m, uint64_t *word)
{
    bool nobody = !(*word & WAITERS) || (*word & WOKEN);

    /* order MUTEX out: what was done under the mutex comes first; in: try_lock */
    return (*word & (HELD | LOCKED)) == HELD && nobody &&
           cas_release(&m->word, word, *word & ~(uint64_t)HELD);
}

static noinline void unlock_slow_path(struct mutex *m)
{
    struct m *mp = enter();
    uint64_t word = load_relaxed(&m->word);
    struct mutex_waiter *first = NULL;
    int spins = 0;

    while (!try_unlock(m, &word)) {
        if (!(word & HELD))
            throw("quoit_mutex_unlock: the mutex is not locked");
        if (word & LOCKED) {
            word_pause(&spins);
            word = load_relaxed(&m->word);
        /* order MUTEX full: the queue as the last one left it, and as above; out: unlock_waiting */
        } else if ((word & (WAITERS | WOKEN)) == WAITERS &&
                   cas_acq_rel(&m->word, &word, word | LOCKED)) {
            first = container_of(waitq_get(&m->queue), struct mutex_waiter, w);
            word = m->queue != NULL ? WAITERS : 0;
            first->w.handed = first->woken && nanotime() - first->since > STARVING_NS;
            word |= first->w.handed ? HELD : WOKEN;
            /* order MUTEX out: what was done under the mutex comes first; in: try_lock,
             * lock_or_wait */
            store_release(&m->word, word);
            break;
        }
    }
    if (first != NULL)
        waiter_wake(mp, &first->w);
    if (mp != NULL)
        leave(mp);
}

void (quoit_mutex_lock)(quoit_mutex *qm)
{
    struct mutex *m = (struct mutex *)qm;
    uint64_t seen = 0;

    /* order MUTEX in: what the last holder did is seen; out: quoit_mutex_unlock, unlock_slow_path
     */
    if (unlikely(!cas_acquire(&m->word, &seen, HELD)) && !try_lock(m, &seen, false))
        context_tail(lock_slow_path, m);
}

int quoit_mutex_trylock(quoit_mutex *qm)
{
    struct mutex *m = (struct mutex *)qm;
    uint64_t word = load_relaxed(&m->word);

    while (!(word & (HELD | LOCKED)))
        if (try_lock(m, &word, false))
            return 0;
    return -EBUSY;
}

void (quoit_mutex_unlock)(quoit_mutex *qm)
{
    struct mutex *m = (struct mutex *)qm;
    uint64_t seen = HELD;

    /* order MUTEX out: what was done under the mutex comes first; in: quoit_mutex_lock, try_lock */
    if (unlikely(!cas_release(&m->word, &seen, 0)) && !try_unlock(m, &seen))
        unlock_slow_path(m);
}
