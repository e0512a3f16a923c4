/* SPDX-License-Identifier: BSD-3-Clause
 * netpoll.c - sched/netpoll.h: rings or the posix way, chosen once; sleeping and waking
 *
 * There is no second set of functions for the posix way: it is an M that has no ring,
 * which can also happen to one M alone when descriptors or memory run out.
 *
 * Sleep and wake meet in one word:
 *
 *     who sleeps                            who wakes
 *     1. AWAKE to IN_FUTEX or IN_RING;      1. put WOKEN, whatever was there
 *        WOKEN found: no sleep              2. IN_FUTEX: futex wake; IN_RING: write
 *     2. wait in futex or ring                 the eventfd that the ring reads
 *     3. put AWAKE
 *
 * A wake-up before the sleep is found in 1 on the left, a second one before 3 costs no
 * system call. An eventfd written late ends a later sleep early, no more. An eventfd
 * and not MSG_RING: the waker may be a thread without a ring, and it works from the
 * first kernel on that we take.
 */
#include "netpoll.h"

#include "cpu.h"

#include "topo.h"

#include "block.h"
#include "env.h"
#include "lock.h"
#include "proc.h"
#include "throw.h"

#include "cancel.h"
#include "op.h"
#include "poller.h"
#include "posix.h"
#include "watch.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* Before the kernel is asked again when it was short of memory. */
static const int64_t retry_ns = 1000000;

struct probe probed;
bool rings_wanted;

static struct lock pollers_lock;
static struct poller *pollers; /* grows at the front, under the lock; read by anyone */

/* ---- start and end -------------------------------------------------------------------------- */

int netpoll_init(int nprocs)
{
    memset(&probed, 0, sizeof probed);
    rings_wanted = false;
    if (env.io != IO_POSIX) {
        probe_rings(&probed);
        rings_wanted = probed.error == 0;
        if (!rings_wanted)
            log_line(env.io == IO_URING ? LOG_WARNING : LOG_INFO,
                     "helper threads do the I/O: %s", probed.why);
    }
    posix_init(nprocs);
    return 0;
}

void netpoll_fini(void)
{
    watch_fini();
    /* No M is left; the lock is for the eyes of tools that have not seen each of them join. */
    lock(&pollers_lock);
    while (pollers != NULL) {
        struct poller *pl = pollers;

        pollers = pl->next;
        free(pl);
    }
    unlock(&pollers_lock);
}

/* What is in use is not freed: the kernel keeps rings from a child (ring_open), and whose memory
 * was half changed nobody knows. The descriptors go when the child executes. */
void netpoll_after_fork_child(void)
{
    store_relaxed(&pollers_lock.word, 0);
    store_relaxed(&pollers, NULL);
    posix_after_fork_child();
    fixed_after_fork_child();
}

static struct poller *poller_unused_locked(void)
{
    struct poller *pl = pollers;

    while (pl != NULL && (pl->mp != NULL || pl->stray > 0))
        pl = pl->next;
    return pl;
}

static struct poller *poller_new_locked(void)
{
    struct poller *pl = aligned_alloc(CACHELINE, sizeof *pl);

    if (pl == NULL)
        return NULL;
    memset(pl, 0, sizeof *pl);
    ring_init(&pl->ring);
    pl->next = pollers;
    /* order POLLER out: the record is all zero before it is found; in: pollers_first */
    store_release(&pollers, pl);
    return pl;
}

static struct poller *pollers_first(void)
{
    /* order POLLER in: what is found is filled in; out: poller_new_locked */
    return load_acquire(&pollers);
}

void netpoll_open(struct m *mp)
{
    struct poller *pl;

    lock(&pollers_lock);
    pl = poller_unused_locked();
    if (pl == NULL)
        pl = poller_new_locked();
    if (pl != NULL)
        store_relaxed(&pl->mp, mp);
    unlock(&pollers_lock);
    if (pl == NULL)
        throw("netpoll_open: no memory for a new thread");
    pl->wakefd = -1;
    pl->armed = false;
    pl->refused = !rings_wanted;
    pl->inflight = NULL;
    pl->told = NULL;
    pl->ntold = 0;
    pl->asked = 0;
    pl->eager = true;
    pl->span = SPAN_MOST;
    store_relaxed(&pl->wake, AWAKE);
    store_relaxed(&mp->poll_pending, 0);
    store_relaxed(&mp->poll_inflight, 0);
    /* order POLLER out: the record is initialised before it is found; in: netpoll_reap_other */
    store_release(&mp->poller, pl);
}

static cold bool poller_ring_new(struct poller *pl)
{
    const struct topo *t = topo_get();
    int e;

    pl->wakefd = eventfd(0, EFD_CLOEXEC);
    e = pl->wakefd < 0 ? -errno : ring_open(&pl->ring, RING_ENTRIES, probed.flags);
    if (e < 0) {
        if (pl->wakefd >= 0)
            close(pl->wakefd);
        pl->wakefd = -1;
        pl->refused = true;
        log_line(env.io == IO_URING ? LOG_WARNING : LOG_INFO,
                 "thread %d gets no ring (%s): helper threads do its I/O", pl->mp->tid,
                 strerrorname_np(-e));
        return false;
    }
    pl->slots = (struct slots){ .there = false };
    memset(&pl->fixed, 0, sizeof pl->fixed);
    if (t != NULL && pl->mp->node >= 0)
        ring_workers(&pl->ring, topo_node_mask(t, pl->mp->node), t->mask_bytes);
    return true;
}

bool poller_ring(struct poller *pl)
{
    int saved;
    bool made;

    if (likely(pl->ring.fd >= 0))
        return true;
    if (pl->refused)
        return false;
    saved = errno;
    made = poller_ring_new(pl);
    errno = saved;
    return made;
}

/* ---- reap ----------------------------------------------------------------------------------- */

/* How many; 0 too when somebody else is at it. */
static unsigned reap_once(struct poller *pl, bool owner, struct glist *ready)
{
    unsigned n;

    if (!ring_trylock(&pl->ring))
        return 0;
    n = op_take(pl, owner, ready);
    if (n > 0)
        add_relaxed(&pl->mp->poll_inflight, -n);
    ring_unlock(&pl->ring);
    return n;
}

static void reap_own(struct poller *pl, struct glist *ready)
{
    do {
        if (reap_once(pl, true, ready) == 0)
            break;
    } while (ring_ready(&pl->ring));
}

void netpoll_reap(struct m *mp, struct glist *ready)
{
    struct poller *pl = mp->poller;

    if (pl->ring.fd < 0)
        return;
    (void)cancel_before(mp, 0);
    if (ring_ready(&pl->ring))
        reap_own(pl, ready);
    if (!ring_held_back(&pl->ring))
        return;
    ring_fetch(&pl->ring);
    reap_own(pl, ready);
}

/* The record of a closed M may belong to another one by now: as good. */
void netpoll_reap_other(struct m *mp unused_arg, struct m *m2, struct glist *ready)
{
    /* order POLLER in: the record is initialised; out: netpoll_open */
    struct poller *pl = load_acquire(&m2->poller);

    if (pl == NULL)
        return;
    /* hint: an owner that is inside comes by itself */
    if (cancel_wanted(pl) && load_relaxed(&m2->inside) == 0)
        cancel_for(pl);
    while (reap_once(pl, false, ready) > 0)
        ;
}

/* ---- sleep and wake ------------------------------------------------------------------------- */

static bool sleep_begins(struct poller *pl, uint32_t how)
{
    uint32_t seen = AWAKE;

    /* order POLL-WAKE in: what the waker did first is seen; out: netpoll_wake */
    if (cas_acq_rel(&pl->wake, &seen, how))
        return true;
    /* order POLL-WAKE in: as above; out: netpoll_wake */
    xchg_acquire(&pl->wake, AWAKE);
    return false;
}

static void sleep_ends(struct poller *pl)
{
    /* order POLL-WAKE in: what the waker did first is seen; out: netpoll_wake */
    xchg_acquire(&pl->wake, AWAKE);
}

static void sleep_in_futex(struct poller *pl, int64_t deadline)
{
    if (!sleep_begins(pl, IN_FUTEX))
        return;
    while (load_relaxed(&pl->wake) == IN_FUTEX)
        if (futex_wait(&pl->wake, IN_FUTEX, deadline) == -ETIMEDOUT)
            break;
    sleep_ends(pl);
}

void poller_nap(struct poller *pl)
{
    sleep_in_futex(pl, nanotime() + retry_ns);
}

/* Is there no read of the eventfd in the ring? From here on there is to be one. Who takes
 * completions takes that of an owner who is awake (op_take): either it has been taken before,
 * and is seen here, or IN_RING is seen there. */
static bool wants_arming(struct poller *pl)
{
    bool armed;

    while (!ring_trylock(&pl->ring))
        cpu_relax();
    armed = load_relaxed(&pl->armed);
    store_relaxed(&pl->armed, true);
    ring_unlock(&pl->ring);
    return !armed;
}

/* The read of the eventfd goes in with the wait, if none is there. */
static bool sleep_in_ring(struct poller *pl, int64_t deadline)
{
    struct ring *r = &pl->ring;
    int e;

    if (ring_ready(r)) {
        /* Somebody is about to take them, and has lost its cpu in between. */
        os_yield();
        return true;
    }
    if (r->polled && ring_watch(r, deadline, &pl->wake, AWAKE))
        return true;
    ring_room(r);
    if (!sleep_begins(pl, IN_RING))
        return true;
    if (wants_arming(pl)) {
        struct io_uring_sqe *sqe = ring_entry(r);

        sqe->opcode = IORING_OP_READ;
        sqe->fd = pl->wakefd;
        sqe->addr = (uintptr_t)&pl->wakebuf;
        sqe->len = sizeof pl->wakebuf;
        sqe->user_data = UD_WAKE;
    }
    e = ring_wait(r, deadline);
    if (ring_left(r) > 0) {
        ring_unget(r);
        store_relaxed(&pl->armed, false);
    }
    sleep_ends(pl);
    return e == 0;
}

static void sleep_somehow(struct m *mp, int64_t deadline)
{
    struct poller *pl = mp->poller;

    netpoll_flush(mp);
    if (mp->poll_pending == 0) {
        if (load_relaxed(&mp->poll_inflight) == 0) {
            sleep_in_futex(pl, deadline);
            return;
        }
        if (sleep_in_ring(pl, deadline))
            return;
    }
    /* The kernel is short of something. */
    if (deadline > nanotime() + retry_ns)
        deadline = nanotime() + retry_ns;
    sleep_in_futex(pl, deadline);
}

/* Who wants something of it that only it can do has put that on a list first, and then woken it. */
void netpoll_sleep(struct m *mp, int64_t deadline)
{
    deadline = cancel_before(mp, deadline);
    sleep_somehow(mp, deadline);
    (void)cancel_before(mp, 0);
}

void netpoll_wake(struct m *m2)
{
    struct poller *pl = m2->poller;
    int saved = errno;

    /* order POLL-WAKE out: what the sleeper is to see comes first; in: sleep_begins, sleep_ends */
    switch (xchg_acq_rel(&pl->wake, WOKEN)) {
    case IN_FUTEX:
        futex_wake(&pl->wake, 1);
        break;
    case IN_RING:
        (void)eventfd_write(pl->wakefd, 1);
        break;
    }
    errno = saved;
}

/* ---- the end of an M ------------------------------------------------------------------------ */

static void poller_close(struct poller *pl)
{
    ring_close(&pl->ring);
    close(pl->wakefd);
}

void netpoll_close(struct m *mp)
{
    struct poller *pl = mp->poller;
    bool stray = pl->ring.fd >= 0 && !poller_drain(mp);

    if (pl->ring.fd >= 0 && !stray)
        poller_close(pl);
    /* m->poller stays: another M may be about to look. */
    lock(&pollers_lock);
    if (stray)
        pl->stray = load_relaxed(&mp->poll_inflight) + load_relaxed(&pl->armed);
    store_relaxed(&pl->mp, NULL);
    unlock(&pollers_lock);
}

/* No M is left that could take completions, and their goroutines are not looked at. */
static bool is_over(struct poller *pl)
{
    const struct io_uring_cqe *cqe;

    if (pl->stray == 0)
        return true;
    while ((cqe = ring_peek(&pl->ring)) != NULL) {
        pl->stray -= cqe->user_data != UD_NONE;
        ring_took(&pl->ring);
    }
    if (pl->stray > 0)
        return false;
    poller_close(pl);
    return true;
}

bool netpoll_over(void)
{
    bool over = true;

    lock(&pollers_lock);
    for (struct poller *pl = pollers; pl != NULL; pl = pl->next)
        over &= is_over(pl);
    unlock(&pollers_lock);
    return over;
}

/* ---- numbers -------------------------------------------------------------------------------- */

bool netpoll_busy(void)
{
    bool busy = posix_busy() > 0 || block_count() > 0;

    lock(&pollers_lock);
    for (struct poller *pl = pollers; pl != NULL && !busy; pl = pl->next)
        busy = pl->mp != NULL &&
               load_relaxed(&pl->mp->poll_pending) + load_relaxed(&pl->mp->poll_inflight) > 0;
    unlock(&pollers_lock);
    return busy;
}

int netpoll_threads(void)
{
    return watch_threads();
}

void netpoll_count(struct poll_numbers *numbers)
{
    memset(numbers, 0, sizeof *numbers);
    for (struct poller *pl = pollers_first(); pl != NULL; pl = pl->next) {
        /* hint: moving numbers */
        numbers->ring_enters += load_relaxed(&pl->ring.enters);
        numbers->ring_ops += load_relaxed(&pl->ring_ops);
        numbers->helper_ops += load_relaxed(&pl->helper_ops);
        numbers->inline_ops += load_relaxed(&pl->inline_ops);
        numbers->fixed_ops += load_relaxed(&pl->fixed.ops);
    }
    numbers->fixed_refusals = fixed_refusals();
}
