/* SPDX-License-Identifier: BSD-3-Clause
 * m.c - kernel threads: their records, birth and end
 *
 * A record stays on the list of all until Quoit ends, so that others may look at any M at any
 * time; when its thread has gone it waits to be used again.
 */
#include "m.h"

#include "bind.h"
#include "children.h"

#include "env.h"
#include "p.h"
#include "proc.h"
#include "profile.h"
#include "rungs.h"
#include "stack.h"
#include "syscall.h"
#include "throw.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { GRACES = 20 }; /* for a thread that is not let run */

/* ---- binding -------------------------------------------------------------------------------- */

void m_bind(struct m *mp, const struct p *pp)
{
    mp->node = pp->place.node;
    /* The cpus of a thread that is not ours are its own affair. */
    if (sched.bind == BIND_NONE || mp->foreign || mp->boundslot == pp->place.slot)
        return;
    /* A refusal (the cpu went away, a stricter cpuset) leaves the thread where it may run. */
    if (bind_thread(sched.bind, &pp->place) == 0)
        mp->boundslot = pp->place.slot;
}

void m_loosen(struct m *mp)
{
    if (!mp->foreign && bind_loosen(mp->given, mp->tid))
        /* hint: so does procresize */
        store_relaxed(&mp->boundslot, -1);
}

/* ---- birth and end -------------------------------------------------------------------------- */

static bool is_joined(struct m *mp)
{
    bool joined;

    lock(&mp->lock);
    joined = mp->joined;
    unlock(&mp->lock);
    return joined;
}

static void set_joined(struct m *mp, bool joined)
{
    lock(&mp->lock);
    mp->joined = joined;
    unlock(&mp->lock);
}

/* False: its thread had not ended at the deadline. At the end there may be two who want to: who
 * uses the record again, and who wants all to be gone. */
static bool m_join(struct m *mp, int64_t deadline)
{
    if (is_joined(mp))
        return true;
    if (!note_sleep(&mp->gone, deadline))
        return false;
    lock(&mp->lock);
    /* A thread that was attached goes on without us. */
    if (!mp->joined && !mp->foreign)
        pthread_join(mp->thread, NULL);
    mp->joined = true;
    unlock(&mp->lock);
    return true;
}

/* A record whose thread has gone, or a fresh one on the list of all. */
static struct m *m_record_locked(void)
{
    struct m *mp = sched.freem;

    if (mp != NULL) {
        sched.freem = mp->idlelink;
        return mp;
    }
    mp = aligned_alloc(CACHELINE, sizeof *mp);
    if (mp == NULL)
        return NULL;
    memset(mp, 0, sizeof *mp);
    mp->joined = true;
    mp->id = sched.mgen++;
    mp->rand = mp->id * 2654435769u + 1;
    mp->alllink = sched.allm;
    /* order ALLM out: the record is whole before it is found; in: allm_first */
    store_release(&sched.allm, mp);
    return mp;
}

/* None once every M has been called to leave (m_wake_all): who waits for them may be past it. */
static int m_get_locked(struct m **mpp)
{
    if (load_relaxed(&sched.stopping))
        return -ECANCELED;
    if (sched.nm >= sched.maxm)
        return -EAGAIN;
    *mpp = m_record_locked();
    if (*mpp == NULL)
        return -ENOMEM;
    /* hint: read without the lock by quoit_num_thread */
    store_relaxed(&sched.nm, sched.nm + 1);
    return 0;
}

int m_new(struct m **mpp)
{
    struct m *mp;
    int e;

    lock(&sched.lock);
    e = m_get_locked(mpp);
    unlock(&sched.lock);
    if (e < 0)
        return e;
    mp = *mpp;
    (void)m_join(mp, INT64_MAX);
    /* hint: who saw the record in other hands may still be looking */
    store_relaxed(&mp->inside, 1);
    /* hint: as above */
    store_relaxed(&mp->tid, 0);
    /* Whoever stops the world may have called a record that was of no use just now. */
    lock(&mp->lock);
    store_relaxed(&mp->revoked, fence_bias | (load_relaxed(&sched.stopping) != 0 ||
                                              load_relaxed(&sched.gcwaiting) != 0));
    unlock(&mp->lock);
    mp->node = -1;
    /* hint: procresize writes the same, to all */
    store_relaxed(&mp->boundslot, -1);
    mp->spinning = mp->leaving = mp->awake = mp->foreign = false;
    return 0;
}

/* For a thread of Quoit's own: without it goroutines might wait for ever. */
static int m_new_own(struct m **mpp)
{
    int e = m_new(mpp);

    if (e == -EAGAIN)
        throw("m_new: the program needs more than %u threads (see QUOIT_MAXTHREADS)", sched.maxm);
    return e;
}

void m_drop(struct m *mp)
{
    lock(&sched.lock);
    mp->idlelink = sched.freem;
    sched.freem = mp;
    /* hint: as in m_new */
    store_relaxed(&sched.nm, sched.nm - 1);
    unlock(&sched.lock);
}

void m_open(struct m *mp)
{
    netpoll_open(mp);
    lock(&sched.lock);
    mp->open = true;
    unlock(&sched.lock);
}

/* Nobody may be about to wake an M whose poller goes away. */
void m_close(struct m *mp)
{
    int spins = 0;

    lock(&sched.lock);
    mp->open = false;
    unlock(&sched.lock);
    /* order WAKER in: the wake-up is over; out: startm */
    while (load_acquire(&mp->wakers) != 0)
        if (++spins > 100)
            os_yield();
    netpoll_close(mp);
}

/* On the thread that is to be mp's. */
static void m_enter_thread(struct m *mp, struct p *pp)
{
    int e;

    tls_set(mp);
    mp->given = bind_mine();
    /* hint: others look at its clock */
    store_relaxed(&mp->tid, os_gettid());
    sanitize_stack_self(&mp->g0stack);
    e = overflow_thread_init(mp);
    if (e < 0)
        log_line(LOG_WARNING,
                 "thread %d gets no signal stack (%s): an overflow there is a plain crash",
                 os_gettid(), strerrorname_np(-e));
    acquirep(mp, pp);
    m_open(mp);
    rungs_thread_begin(mp);
    profile_m_begins(mp);
}

static void m_leave_thread(struct m *mp)
{
    rungs_thread_end(mp);
    profile_m_ends(mp);
    m_close(mp);
    overflow_thread_fini(mp);
    sanitize_stack_free(&mp->g0stack);
    tls_set(NULL);
}

static void *m_main(void *arg)
{
    struct m *mp = arg;
    struct p *pp = mp->nextp;

    store_relaxed(&mp->nextp, NULL);
    m_enter_thread(mp, pp);
    pthread_sigmask(SIG_SETMASK, &sched.sigmask, NULL);
    schedule(mp);
    m_leave_thread(mp);
    if (!load_relaxed(&sched.stopping))
        m_drop(mp);
    note_wake(&mp->gone);
    return NULL;
}

int m_start(struct p *pp, bool spinning)
{
    struct m *mp;
    int e = m_new_own(&mp);

    if (e < 0)
        return e;
    /* Libraries may have been loaded since the last thread was started. */
    children_refresh();
    store_relaxed(&mp->nextp, pp);
    mp->spinning = spinning;
    note_clear(&mp->gone);
    set_joined(mp, false);
    e = thread_start(&mp->thread, NULL, m_main, mp);
    if (e == 0)
        return 0;
    set_joined(mp, true);
    store_relaxed(&mp->nextp, NULL);
    /* Who ends Quoit may be waiting for it already. */
    note_wake(&mp->gone);
    m_drop(mp);
    return e;
}

struct m *m_adopt(struct p *pp)
{
    struct m *mp;

    if (m_new_own(&mp) < 0)
        return NULL;
    m_enter_thread(mp, pp);
    return mp;
}

void m_release(struct m *mp)
{
    m_leave_thread(mp);
    if (mp->boundslot >= 0)
        (void)bind_thread_process();
}

/* ---- all of them ---------------------------------------------------------------------------- */

struct m *allm_first(void)
{
    /* order ALLM in: what is found is whole; out: m_record_locked */
    return load_acquire(&sched.allm);
}

/* Its thread has spent the grace outside, at work or asleep. Inside it comes in by itself, and on a
 * busy machine it may be long before it is let run. */
static bool is_stray(const struct m *mp, int64_t cpu, int64_t grace_ns)
{
    int tid = load_relaxed(&mp->tid);

    if (tid == 0 || load_relaxed(&mp->inside) != 0)
        return false;
    return thread_sleeps(tid) || thread_cputime(tid) - cpu >= grace_ns / 2;
}

/* False: not until then, though it was asked. */
static bool m_join_asked(struct m *mp, int64_t until)
{
    int64_t now = nanotime();

    while (until - now > env.quantum) {
        if (m_join(mp, now + env.quantum))
            return true;
        now = nanotime();
        rungs_hurry(mp, now);
    }
    return m_join(mp, until);
}

static bool m_come_in(struct m *mp, int64_t until, int64_t grace_ns)
{
    /* hint: -1 of one that is about to end */
    int64_t cpu = thread_cputime(load_relaxed(&mp->tid));

    for (int i = 0; !m_join_asked(mp, until); i++, until = nanotime() + grace_ns)
        if (grace_ns == 0 || i == GRACES || is_stray(mp, cpu, grace_ns))
            return false;
    return true;
}

bool m_join_all(int64_t grace_ns)
{
    int64_t until = nanotime() + grace_ns;

    /* One that was about to come in may have started another, which then shows as not joined. */
    for (struct m *mp = allm_first(); mp != NULL;) {
        bool was_joined = is_joined(mp);

        if (!m_come_in(mp, until, grace_ns))
            return false;
        mp = was_joined ? mp->alllink : allm_first();
    }
    /* Only now, when no M is left that could still be about to wake another. */
    while (sched.allm != NULL) {
        struct m *mp = sched.allm;

        sched.allm = mp->alllink;
        profile_m_gone(mp);
        free(mp);
    }
    store_relaxed(&sched.nm, 0);
    return true;
}

void m_wake_all(void)
{
    lock(&sched.lock);
    for (struct m *mp = sched.allm; mp != NULL; mp = mp->alllink) {
        m_call(mp, 0);
        if (mp->open)
            netpoll_wake(mp);
    }
    unlock(&sched.lock);
}
