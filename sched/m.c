/* SPDX-License-Identifier: BSD-3-Clause
 * m.c - kernel threads: made, put to sleep, woken
 *
 * An M sleeps in the poller: in its ring when I/O of its goroutines is in flight, else on a
 * futex. An idle M keeps no P, but the P it held last remembers it: its thread is bound to the
 * right core.
 *
 * Who wakes an M has taken it off the idle list under sched.lock and put a P into m->nextp. An
 * M that wakes by itself, because I/O completed, takes itself off the list under the same lock,
 * if it is still on it.
 */
#include "m.h"

#include "bind.h"
#include "children.h"

#include "p.h"
#include "proc.h"
#include "stack.h"
#include "throw.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- idle M's (all under sched.lock) -------------------------------------------------------- */

static void midleput_locked(struct m *mp)
{
    mp->idle = true;
    mp->idlelink = sched.idlem;
    sched.idlem = mp;
}

static void midledrop_locked(struct m *mp)
{
    struct m **at = &sched.idlem;

    while (*at != mp)
        at = &(*at)->idlelink;
    *at = mp->idlelink;
    mp->idle = false;
}

/* The M that held pp last if it is idle, else one of the same node, else any. */
static struct m *midleget_locked(const struct p *pp)
{
    struct m *mp = pp->lastm, *any = sched.idlem;

    if (mp == NULL || !mp->idle) {
        for (mp = any; mp != NULL && mp->node != pp->place.node; mp = mp->idlelink)
            ;
        if (mp == NULL)
            mp = any;
    }
    if (mp != NULL)
        midledrop_locked(mp);
    return mp;
}

/* ---- binding -------------------------------------------------------------------------------- */

void m_bind(struct m *mp, const struct p *pp)
{
    mp->node = pp->place.node;
    if (sched.bind == BIND_NONE || mp->boundslot == pp->place.slot)
        return;
    /* A refusal (the cpu went away, a stricter cpuset) leaves the thread where it may run. */
    if (bind_thread(sched.bind, &pp->place) == 0)
        mp->boundslot = pp->place.slot;
}

/* ---- birth and end -------------------------------------------------------------------------- */

static struct m *m_new(void)
{
    struct m *mp = aligned_alloc(CACHELINE, sizeof *mp);

    if (mp == NULL)
        return NULL;
    memset(mp, 0, sizeof *mp);
    mp->inside = 1;
    mp->revoked = fence_bias;
    mp->boundslot = mp->node = -1;
    lock(&sched.lock);
    if (sched.nm >= sched.maxm)
        throw("m_new: the program needs more than %u threads (see QUOIT_MAXTHREADS)", sched.maxm);
    mp->id = sched.mgen++;
    mp->rand = mp->id * 2654435769u + 1;
    mp->alllink = sched.allm;
    sched.allm = mp;
    /* hint: read without the lock by quoit_num_thread */
    store_relaxed(&sched.nm, sched.nm + 1);
    unlock(&sched.lock);
    return mp;
}

static void m_drop(struct m *mp)
{
    struct m **at = &sched.allm;

    lock(&sched.lock);
    while (*at != mp)
        at = &(*at)->alllink;
    *at = mp->alllink;
    /* hint: as in m_new */
    store_relaxed(&sched.nm, sched.nm - 1);
    unlock(&sched.lock);
    free(mp);
}

/* On the thread that is to be mp's. */
static void m_enter_thread(struct m *mp, struct p *pp)
{
    int e;

    tls_set(mp);
    mp->tid = os_gettid();
    sanitize_stack_self(&mp->g0stack);
    e = overflow_thread_init(mp);
    if (e < 0)
        log_line(LOG_WARNING,
                 "thread %d gets no signal stack (%s): an overflow there is a plain crash",
                 mp->tid, strerrorname_np(-e));
    acquirep(mp, pp);
    netpoll_open(mp);
    lock(&sched.lock);
    mp->open = true;
    unlock(&sched.lock);
}

/* Nobody may be about to wake an M whose poller goes away. */
static void m_leave_thread(struct m *mp)
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
    overflow_thread_fini(mp);
    sanitize_stack_free(&mp->g0stack);
    tls_set(NULL);
}

static void *m_main(void *arg)
{
    struct m *mp = arg;
    struct p *pp = mp->nextp;

    mp->nextp = NULL;
    m_enter_thread(mp, pp);
    pthread_sigmask(SIG_SETMASK, &sched.sigmask, NULL);
    schedule(mp);
    m_leave_thread(mp);
    note_wake(&mp->gone);
    return NULL;
}

int m_start(struct p *pp, bool spinning)
{
    struct m *mp = m_new();
    int e;

    if (mp == NULL)
        return -ENOMEM;
    /* Libraries may have been loaded since the last thread was started. */
    children_refresh();
    mp->nextp = pp;
    mp->spinning = spinning;
    e = thread_start(mp, m_main);
    if (e < 0)
        m_drop(mp);
    return e;
}

struct m *m_adopt(struct p *pp)
{
    struct m *mp = m_new();

    if (mp != NULL)
        m_enter_thread(mp, pp);
    return mp;
}

void m_release(struct m *mp)
{
    m_leave_thread(mp);
    if (mp->boundslot >= 0)
        (void)bind_thread_process();
    mp->joined = true;
}

static struct m *unjoined(void)
{
    struct m *mp;

    lock(&sched.lock);
    for (mp = sched.allm; mp != NULL && mp->joined; mp = mp->alllink)
        ;
    unlock(&sched.lock);
    return mp;
}

bool m_join_all(int64_t grace_ns)
{
    int64_t until = nanotime() + grace_ns;
    struct m *mp;

    while ((mp = unjoined()) != NULL) {
        if (!note_sleep(&mp->gone, until))
            return false;
        pthread_join(mp->thread, NULL);
        mp->joined = true;
    }
    /* Only now, when no M is left that could still be about to wake another. */
    while (sched.allm != NULL)
        m_drop(sched.allm);
    return true;
}

void m_wake_all(void)
{
    lock(&sched.lock);
    for (struct m *mp = sched.allm; mp != NULL; mp = mp->alllink) {
        /* order INSIDE out: sched.stopping is set before; in: entry_slow */
        store_release(&mp->revoked, fence_bias | 1);
        if (mp->open)
            netpoll_wake(mp);
    }
    unlock(&sched.lock);
}

/* ---- sleep and wake ------------------------------------------------------------------------- */

/* Why the M woke: a P it was given, or one for I/O that completed; NULL: neither. */
static struct p *woken_for(struct m *mp)
{
    struct p *pp;

    lock(&sched.lock);
    pp = mp->nextp;
    mp->nextp = NULL;
    if (pp == NULL && !load_relaxed(&sched.stopping))
        pp = pidleget_locked(mp->lastp);
    if (mp->idle && (pp != NULL || load_relaxed(&sched.stopping)))
        midledrop_locked(mp);
    unlock(&sched.lock);
    return pp;
}

void stopm(struct m *mp)
{
    struct p *pp;

    /* Libraries that were loaded meanwhile: here nobody waits. */
    children_refresh();
    lock(&sched.lock);
    midleput_locked(mp);
    unlock(&sched.lock);
    /* order DRAIN in: goroutines that ended here were counted before the fence of second_look, so
     * either drain counts them or they are told of here; out: drain */
    if (load_acquire(&sched.draining))
        note_wake(&sched.drained);
    for (;;) {
        struct glist list = { NULL, NULL, 0 };

        netpoll_sleep(mp, INT64_MAX);
        pp = woken_for(mp);
        if (pp != NULL)
            break;
        if (load_relaxed(&sched.stopping))
            return;
        /* Every P is busy: what completed goes to where they look. */
        netpoll_reap(mp, &list);
        injectglist(mp, &list);
    }
    acquirep(mp, pp);
}

/* Wakes or starts an M for pp; it counts as spinning already. */
static void startm(struct p *pp, struct m *mp)
{
    int e, saved = errno;

    if (mp != NULL) {
        netpoll_wake(mp);
        /* order WAKER out: the wake-up comes first; in: m_leave_thread */
        add_release(&mp->wakers, -1u);
        return;
    }
    e = m_start(pp, true);
    errno = saved;
    if (e < 0)
        throw("startm: no thread can be started (%s); lower GOMAXPROCS or raise the limit of tasks",
              strerrorname_np(-e));
}

/* One caller at a time: the count of spinning M's is the ticket. Who found no idle P looks
 * again after giving the ticket back, for a P may have become idle while others saw the ticket
 * taken and left it to us. */
cold void wakep_slow(struct m *mp)
{
    while (fence_and_load(&sched.npidle) != 0) {
        struct p *pp;
        struct m *m2 = NULL;
        uint32_t seen = 0;

        /* order SPIN-DOWN full: the put is out, and only one goes on; in: second_look,
         * spinning_ends */
        if (load_relaxed(&sched.nmspinning) != 0 || !cas_full(&sched.nmspinning, &seen, 1))
            return;
        lock(&sched.lock);
        pp = pidleget_locked(mp != NULL ? mp->p : NULL);
        if (pp != NULL) {
            m2 = midleget_locked(pp);
            if (m2 != NULL) {
                m2->nextp = pp;
                m2->spinning = true;
                add_relaxed(&m2->wakers, 1);
            }
        }
        unlock(&sched.lock);
        if (pp != NULL) {
            if (mp != NULL && mp->p != NULL)
                count_add(&mp->p->count.wakes, 1);
            startm(pp, m2);
            return;
        }
        /* order SPIN-DOWN full: the ticket is back before idle P's are looked for; in: second_look
         */
        add_full(&sched.nmspinning, -1u);
    }
}
