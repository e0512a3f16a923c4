/* SPDX-License-Identifier: BSD-3-Clause
 * ring.c - set-up, submission and waiting of one ring
 *
 * liburing sets up and tears down. In between the shared words are handled here: who
 * takes completions is often not the owner, and liburing's helpers for that may enter
 * the kernel.
 *
 * COOP_TASKRUN and not DEFER_TASKRUN: with the latter completions of a thread that
 * computes stay invisible to everybody (design.md, "Rings"). It is there as an
 * experiment: then what waits for the owner is fetched by it when it reaps.
 * SINGLE_ISSUER was taken out: it saves nothing without DEFER_TASKRUN, and with it nobody else can
 * cancel for a thread that is lost in a foreign call (cancel.c).
 * NO_SQARRAY was left out: an array that is filled once costs nothing either.
 *
 * SQPOLL is an experiment too: one thread of the kernel, shared where that can be, looks for
 * entries. To publish them is then to submit them, unless that thread sleeps:
 *
 *     the owner                            the kernel's thread, before it sleeps
 *     1. the tail shows the entries        1. NEED_WAKEUP
 *     2. full fence                        2. full fence
 *     3. NEED_WAKEUP: wake it              3. looks at the tail again; entries: go on
 */
#include "ring.h"

#include "cpu.h"
#include "sanitize.h"

#include "env.h"
#include "os_linux.h"
#include "throw.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>

/* Files that are always ready go to the first kind of worker, everything else to the second. */
enum { WORKERS_FILES = 4, WORKERS_OTHER = 32, CQ_PER_SQ = 8 };

/* Before the kernel's thread sleeps: what comes seldom must not keep a cpu from everybody. */
enum { POLL_IDLE_MS = 100 };
/* How long an owner of such a ring looks before it sleeps. */
enum { WATCH_NS = 50000 };

bool ring_flags(int k, unsigned *flags)
{
    enum { SIZES = IORING_SETUP_CLAMP | IORING_SETUP_CQSIZE };
    static const struct {
        unsigned flags, experiment; /* 0: always */
        int kernel;                 /* the first that has them, as env_kernel() writes it */
    } ladder[] = {
        { IORING_SETUP_SQPOLL | SIZES, EXPERIMENT_SQPOLL, 511 },
        { IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_TASKRUN_FLAG |
              SIZES, EXPERIMENT_DEFER, 601 },
        { IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG | SIZES, 0, 519 },
        { SIZES, 0, 506 },
        { 0, 0, 0 },
    };

    for (size_t i = 0; i < array_len(ladder); i++) {
        if (ladder[i].experiment != 0 && !experiment(ladder[i].experiment))
            continue;
        if (ladder[i].kernel > env_kernel())
            continue;
        *flags = ladder[i].flags;
        if (k-- == 0)
            return true;
    }
    return false;
}

void ring_init(struct ring *r)
{
    memset(r, 0, sizeof *r);
    r->fd = -1;
    r->reaping = 1;
}

static void use_memory(struct ring *r)
{
    const struct io_uring *u = &r->liburing;

    r->sq_head = u->sq.khead;
    r->sq_tail = u->sq.ktail;
    r->sq_flags = u->sq.kflags;
    r->sq_mask = *u->sq.kring_mask;
    /* hint: another ring of ours may have been there, and the checkers do not see it go */
    r->sq_next = load_relaxed(u->sq.ktail);
    r->sqes = u->sq.sqes;
    r->cq_head = u->cq.khead;
    r->cq_tail = u->cq.ktail;
    r->cq_mask = *u->cq.kring_mask;
    r->cqes = u->cq.cqes;
    for (unsigned i = 0; i <= r->sq_mask; i++)
        u->sq.array[i] = i;
}

/* A ring with whose thread others share it; -1: none. */
static int shared_fd = -1; /* a  hint: one that is gone is no reason not to have a ring */

static int set_up(struct io_uring *u, unsigned entries, unsigned flags)
{
    struct io_uring_params params = { .flags = flags };

    if (flags & IORING_SETUP_CQSIZE)
        params.cq_entries = entries * CQ_PER_SQ;
    if (flags & IORING_SETUP_SQPOLL) {
        struct io_uring_params shares = params;
        int fd = load_relaxed(&shared_fd);

        params.sq_thread_idle = POLL_IDLE_MS;
        shares.flags |= IORING_SETUP_ATTACH_WQ;
        shares.wq_fd = (uint32_t)fd;
        if (fd >= 0 && io_uring_queue_init_params(entries, u, &shares) == 0)
            return 0;
    }
    return io_uring_queue_init_params(entries, u, &params);
}

int ring_open(struct ring *r, unsigned entries, unsigned flags)
{
    struct io_uring *u = &r->liburing;
    int e = set_up(u, entries, flags);

    if (e < 0)
        return e;
    r->polled = flags & IORING_SETUP_SQPOLL;
    if (r->polled && load_relaxed(&shared_fd) < 0)
        store_relaxed(&shared_fd, u->ring_fd);
    /* A child must not submit into its parent's ring. */
    (void)io_uring_ring_dontfork(u);
    r->fd = r->enter_fd = u->ring_fd;
    r->enter_flags = 0;
    if (env_kernel() >= 518 && io_uring_register_ring_fd(u) == 1) {
        r->enter_fd = u->enter_ring_fd;
        r->enter_flags = IORING_ENTER_REGISTERED_RING;
    }
    sanitize_mapped();
    use_memory(r);
    ring_unlock(r);
    return 0;
}

void ring_close(struct ring *r)
{
    if (r->fd < 0)
        return;
    /* For good. */
    while (!ring_trylock(r))
        cpu_relax();
    sanitize_unmaps();
    if (load_relaxed(&shared_fd) == r->fd)
        store_relaxed(&shared_fd, -1);
    io_uring_queue_exit(&r->liburing);
    r->fd = -1;
}

void ring_workers(struct ring *r, const unsigned long *cpus, size_t bytes)
{
    unsigned most[2] = { WORKERS_FILES, WORKERS_OTHER };

    (void)io_uring_register_iowq_max_workers(&r->liburing, most);
    /* They would inherit the one core that their thread is bound to. */
    if (cpus != NULL)
        (void)io_uring_register_iowq_aff(&r->liburing, bytes, (const cpu_set_t *)cpus);
}

int ring_slots(struct ring *r, unsigned n)
{
    int none[256];

    memset(none, -1, sizeof none);
    return n <= array_len(none) ? io_uring_register_files(&r->liburing, none, n) : -EINVAL;
}

int ring_places_for_memory(struct ring *r, unsigned n)
{
    static const struct iovec none[64];

    return n <= array_len(none) ? io_uring_register_buffers(&r->liburing, none, n) : -EINVAL;
}

int ring_put_memory(struct ring *r, int i, void *p, size_t bytes)
{
    struct iovec v = { bytes > 0 ? p : NULL, bytes };
    int e = io_uring_register_buffers_update_tag(&r->liburing, (unsigned)i, &v, NULL, 1);

    return e < 0 ? e : 0;
}

struct io_uring_sqe *ring_entry(struct ring *r)
{
    struct io_uring_sqe *sqe;

    if (ring_pending(r) > r->sq_mask)
        return NULL;
    sqe = &r->sqes[r->sq_next++ & r->sq_mask];
    memset(sqe, 0, sizeof *sqe);
    return sqe;
}

/* How many the kernel is to be given. */
static unsigned publish(struct ring *r)
{
    unsigned n = r->sq_next - load_relaxed(r->sq_tail); /* hint: nobody else writes it */

    /* order RING-SQ out: entries are filled before tail shows them; in: the kernel */
    store_release(r->sq_tail, r->sq_next);
    return r->polled ? n : ring_pending(r);
}

void ring_unget(struct ring *r)
{
    r->sq_next--;
    publish(r);
}

void ring_drop_pending(struct ring *r)
{
    r->sq_next = r->polled ? load_relaxed(r->sq_tail) : r->sq_next - ring_pending(r);
    publish(r);
}

/* What cannot be the fault of the moment is ours, and going on would lose operations. */
static int checked(int e)
{
    if (e < 0 && e != -EAGAIN && e != -EBUSY && e != -ENOMEM && e != -EINTR && e != -ETIME)
        throw("ring: io_uring_enter failed: %s", strerrorname_np(-e));
    return e;
}

static int enter_kernel(struct ring *r, unsigned submit, unsigned wait, unsigned flags, void *arg,
                        size_t bytes)
{
    /* hint: read by others for statistics */
    store_relaxed(&r->enters, r->enters + 1);
    return io_uring_enter2((unsigned)r->enter_fd, submit, wait, flags | r->enter_flags, arg, bytes);
}

/* After publish. */
static bool poller_sleeps(const struct ring *r)
{
    /* order RING-SQ full: the tail shows before the flag is read; in: the kernel */
    fence_full();
    return load_relaxed(r->sq_flags) & IORING_SQ_NEED_WAKEUP;
}

int ring_submit(struct ring *r)
{
    unsigned n = publish(r), taken = 0;

    if (r->polled) {
        if (n > 0 && poller_sleeps(r))
            (void)checked(enter_kernel(r, n, 0, IORING_ENTER_SQ_WAKEUP, NULL, 0));
        return (int)n;
    }
    while (taken < n) {
        int e = checked(enter_kernel(r, n - taken, 0, 0, NULL, 0));

        if (e == -EINTR)
            continue;
        if (e <= 0)
            return taken > 0 ? (int)taken : e == 0 ? -EAGAIN : e;
        taken += (unsigned)e;
        if (r->sqes[(r->sq_next - (n - taken) - 1) & r->sq_mask].flags & IOSQE_IO_HARDLINK)
            break;
    }
    return (int)taken;
}

/* Valgrind takes io_uring_enter for a call that never waits, and lets no other thread run while one
 * is in it: so it is submitted and waited for by two calls. */
static cold int wait_polling(struct ring *r, int64_t deadline)
{
    int64_t left = deadline - nanotime();
    struct timespec ts = { .tv_sec = left > 0 ? left / 1000000000 : 0,
                           .tv_nsec = left > 0 ? left % 1000000000 : 0 };
    struct pollfd p = { r->fd, POLLIN, 0 };
    int e = checked(enter_kernel(r, publish(r), 0, 0, NULL, 0));

    if (e < 0 && e != -EINTR)
        return e;
    ppoll(&p, 1, deadline == INT64_MAX ? NULL : &ts, NULL);
    ring_fetch(r);
    return 0;
}

int ring_wait(struct ring *r, int64_t deadline)
{
    int64_t left = deadline == INT64_MAX ? 0 : deadline - nanotime();
    struct __kernel_timespec ts = { .tv_sec = left > 0 ? left / 1000000000 : 0,
                                    .tv_nsec = left > 0 ? left % 1000000000 : 0 };
    struct io_uring_getevents_arg arg = { .sigmask_sz = _NSIG / 8 };
    unsigned n = publish(r), flags = IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG;
    int e;

    if (unlikely(sanitize_valgrind))
        return wait_polling(r, deadline);
    if (deadline != INT64_MAX)
        arg.ts = (uint64_t)(uintptr_t)&ts;
    if (r->polled && poller_sleeps(r))
        flags |= IORING_ENTER_SQ_WAKEUP;
    e = checked(enter_kernel(r, n, 1, flags, &arg, sizeof arg));
    return e == -EINTR || e == -ETIME || e > 0 ? 0 : e;
}

void ring_room(struct ring *r)
{
    unsigned flags = IORING_ENTER_SQ_WAIT | IORING_ENTER_SQ_WAKEUP;

    while (r->polled && ring_pending(r) > r->sq_mask)
        (void)checked(enter_kernel(r, 0, 0, flags, NULL, 0));
}

/* Where operations need no system call, waiting for them should hardly need one either. */
bool ring_watch(const struct ring *r, int64_t deadline, const uint32_t *word, uint32_t value)
{
    int64_t until = nanotime() + WATCH_NS;

    until = until < deadline ? until : deadline;
    while (!ring_ready(r)) {
        /* hint: a wake-up that is missed here is found before the sleep */
        if (load_relaxed(word) != value || nanotime() > until)
            return false;
        cpu_relax();
    }
    return true;
}

void ring_fetch(struct ring *r)
{
    (void)checked(enter_kernel(r, 0, 0, IORING_ENTER_GETEVENTS, NULL, 0));
}

int ring_cancel_sync(const struct ring *r, uint64_t tag)
{
    struct io_uring_sync_cancel_reg reg = { .addr = tag, .fd = -1 };

    return io_uring_register((unsigned)r->fd, IORING_REGISTER_SYNC_CANCEL, &reg, 1);
}
