/* SPDX-License-Identifier: BSD-3-Clause
 * op.c - an operation from its prepared record to its result ("on I/O" in the life of a G)
 *
 * The entry is filled in only after the goroutine has left its stack (hand_to_ring
 * runs in finish_switch): on the way to the next goroutine the scheduler may submit
 * and reap, and must not find this one half way. It also means that a completion
 * always finds a goroutine that waits, and no word is needed to settle who came first.
 *
 * When what is filled in is submitted says submit.c.
 */
#include "op.h"

#include "cpu.h"
#include "sanitize.h"

#include "limit.h"
#include "proc.h"
#include "switch.h"
#include "throw.h"
#include "timer.h"

#include "batch.h"
#include "cancel.h"
#include "poller.h"
#include "posix.h"

#include <errno.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { GEN_BITS = 20, AHEAD = 4, STACK_LINES = 4 };

/* A result: the kernel has no worker for it, and can make none. Signals that come faster than it
 * tries are enough. No error has this number. */
enum { NO_WORKER = -5002 };

/* ---- the tag -------------------------------------------------------------------------------- */

/* Addresses of user space end below 2^47 (2^48 on aarch64), and records are aligned to 16. */
uint64_t op_tag(const struct op *op, uint32_t gen)
{
    return (uint64_t)(uintptr_t)op >> 4 << GEN_BITS | gen;
}

static struct op *tagged(uint64_t tag)
{
    struct op *op = (struct op *)(uintptr_t)(tag >> GEN_BITS << 4);
    /* order OP-TAG in: the record is as it was handed over; out: hand_to_ring */
    uint32_t gen = load_acquire(&op->gen);

    if (gen != (tag & ((1u << GEN_BITS) - 1)) || gen == 0)
        throw("op_take: a completion for an operation that is over");
    return op;
}

static uint32_t next_gen(struct poller *pl)
{
    pl->gen = pl->gen + 1 < 1u << GEN_BITS ? pl->gen + 1 : 1;
    return pl->gen;
}

/* ---- what is in flight, where it can only be cancelled one by one --------------------------- */

static void inflight_add(struct poller *pl, struct op *op)
{
    /* Others hold it for a few completions at most. */
    while (!ring_trylock(&pl->ring))
        cpu_relax();
    op->prev = NULL;
    op->next = pl->inflight;
    if (op->next != NULL)
        op->next->prev = op;
    pl->inflight = op;
    ring_unlock(&pl->ring);
}

static void inflight_drop(struct poller *pl, struct op *op)
{
    if (op->next != NULL)
        op->next->prev = op->prev;
    if (op->prev != NULL)
        op->prev->next = op->next;
    else
        pl->inflight = op->next;
}

/* ---- by ring -------------------------------------------------------------------------------- */

/* A buffer in registered memory spares the kernel the look at its pages. */
static void use_fixed(struct poller *pl, struct io_uring_sqe *sqe)
{
    struct fixed *f = &pl->fixed;
    int i;

    if (f->version != load_relaxed(&fixed_version))
        fixed_update(pl);
    i = fixed_find(f, sqe->addr, sqe->len);
    if (i < 0)
        return;
    sqe->opcode = sqe->opcode == IORING_OP_READ ? IORING_OP_READ_FIXED : IORING_OP_WRITE_FIXED;
    sqe->buf_index = (uint16_t)i;
    store_relaxed(&f->ops, f->ops + 1);
}

static void fill_in(struct poller *pl, struct io_uring_sqe *sqe, const struct op *op)
{
    if (unlikely(op->desc->how == HOW_ENTRY)) {
        *sqe = *(const struct io_uring_sqe *)op_pointer(op->addr);
        return;
    }
    sqe->opcode = op->desc->opcode;
    sqe->flags = op->links;
    sqe->fd = op->fd;
    sqe->off = op->off;
    sqe->addr = op->addr;
    sqe->len = op->len;
    sqe->rw_flags = (int)op->flags;
    sqe->splice_fd_in = op->aux;
    sqe->addr3 = op->addr3;
    if (unlikely(fixed_any(&pl->fixed)) &&
        (sqe->opcode == IORING_OP_READ || sqe->opcode == IORING_OP_WRITE))
        use_fixed(pl, sqe);
}

void op_put(struct m *mp, struct op *op)
{
    struct poller *pl = mp->poller;
    struct io_uring_sqe *sqe = ring_entry(&pl->ring);
    uint32_t gen = next_gen(pl);

    CHECK(sqe != NULL, "the room that was made is gone");
    op->left = 1;
    fill_in(pl, sqe, op);
    sqe->user_data = op_tag(op, gen);
    if (!probed.cancel_any)
        inflight_add(pl, op);
    /* order OP-TAG out: all that was done with the record comes before its tag; in: tagged */
    store_release(&op->gen, gen);
    if (mp->poll_pending == 0)
        submit_first(mp, pl);
    store_relaxed(&mp->poll_pending, mp->poll_pending + 1);
}

void op_flush(struct m *mp)
{
    if (mp->poll_pending >= SUBMIT_AT ||
        (mp->poller->eager && load_relaxed(&mp->poll_inflight) == 0))
        netpoll_flush(mp);
}

/* By itself it would be begun at once, whatever became of what it was to wait for. */
void op_cut(struct poller *pl, unsigned taken)
{
    struct ring *r = &pl->ring;
    unsigned at = r->sq_next - ring_pending(r);

    if (taken == 0 || !(r->sqes[(at - 1) & r->sq_mask].flags & IOSQE_IO_HARDLINK))
        return;
    for (bool more = true; more && at != r->sq_next; at++) {
        struct io_uring_sqe *sqe = &r->sqes[at & r->sq_mask];
        struct op *op = tagged(sqe->user_data);

        more = sqe->flags & IOSQE_IO_HARDLINK;
        op->cut = true;
        /* order OP-TAG out: that too comes before the tag; in: tagged */
        store_release(&op->gen, load_relaxed(&op->gen));
        sqe->opcode = IORING_OP_NOP;
        sqe->flags = 0;
        sqe->rw_flags = 0;
    }
}

/* On the stack of whoever runs next. Once submitted the record may be gone. */
static int hand_to_ring(void *arg)
{
    struct op *op = arg;
    struct m *mp = m_get();

    if (limit_given_up(op->gp)) {
        op->res = -ECANCELED;
        return 0;
    }
    op_put(mp, op);
    op_flush(mp);
    return 1;
}

static bool lacks_room(struct m *mp, unsigned n)
{
    struct ring *r = &mp->poller->ring;

    return r->fd >= 0 && ring_pending(r) + n > r->sq_mask + 1;
}

/* Submitting alone may not help: the kernel wants completions taken first, or is short of
 * memory. */
static cold struct m *make_room(struct m *mp, unsigned n)
{
    struct glist ready = { NULL, NULL, 0 };

    netpoll_flush(mp);
    if (!lacks_room(mp, n))
        return mp;
    netpoll_reap(mp, &ready);
    injectglist(mp, &ready);
    ring_room(&mp->poller->ring);
    return lacks_room(mp, n) ? op_later(mp) : mp;
}

bool op_has_room(struct m **mpp, unsigned n)
{
    if (likely(!lacks_room(*mpp, n)))
        return true;
    *mpp = make_room(*mpp, n);
    return false;
}

/* What depends on others must let them run. A stop is noticed at the entry. */
struct m *op_later(struct m *mp)
{
    struct quoit_g *next = pick(mp, false);

    if (next != NULL)
        mp = switch_away(mp, next, AFTER_YIELD);
    else
        poller_nap(mp->poller);
    leave(mp);
    return enter_g("op_later");
}

struct quoit_g *op_finish(struct op *op, int32_t res)
{
    struct quoit_g *gp = op->gp;

    op->res = res;
    if (unlikely(sanitize_valgrind))
        op_written(op);
    /* hint: only a tag that must not fit any more */
    store_relaxed(&op->gen, 0);
    return likely(op->batch == NULL) ? gp : batch_ended(op);
}

static void append(struct glist *ready, struct quoit_g *gp)
{
    if (gp == NULL)
        return;
    gp->link = NULL;
    if (ready->last != NULL)
        ready->last->link = gp;
    else
        ready->first = gp;
    ready->last = gp;
    ready->n++;
}

/* With many goroutines neither their records nor their stacks are in the first caches. What is
 * about to be taken is asked for some completions ahead; what runs soon, its top of stack with
 * the record of the operation in it, when it is taken. */
static inline void fetch_ahead(const struct ring *r)
{
    uint64_t tag = ring_ahead(r, AHEAD);

    prefetch_write(op_pointer(tag >> GEN_BITS << 4));
}

static inline void fetch_stack(const struct op *op)
{
    const char *p = (const char *)op;

    for (int line = -STACK_LINES; line < 0; line++)
        prefetch_write(p + line * CACHELINE);
    prefetch_write(&op->gp->ctx);
    prefetch_write(&op->gp->reason);
}

/* Was this its last completion? What was sent without being copied is told of twice. */
static bool op_ended(struct op *op, const struct io_uring_cqe *cqe)
{
    if (!(cqe->flags & IORING_CQE_F_NOTIF))
        op->res = likely(!op->cut) ? cqe->res : -ECANCELED;
    return !(cqe->flags & IORING_CQE_F_MORE) && --op->left == 0;
}

unsigned op_take(struct poller *pl, bool owner, struct glist *ready)
{
    struct ring *r = &pl->ring;
    const struct io_uring_cqe *cqe;
    unsigned n = 0;

    while ((cqe = ring_peek(r)) != NULL) {
        if (cqe->user_data == UD_WAKE) {
            /* Taken by another thread it would leave an owner who sleeps with nothing to wake it.
             * One who computes may not come by for long, and more stands behind it. */
            if (!owner && load_relaxed(&pl->wake) != AWAKE)
                break;
            store_relaxed(&pl->armed, false);
        } else if (cqe->user_data != UD_NONE) {
            struct op *op = tagged(cqe->user_data);

            fetch_ahead(r);
            if (likely(op->batch == NULL))
                fetch_stack(op);
            if (op_ended(op, cqe)) {
                if (!probed.cancel_any)
                    inflight_drop(pl, op);
                append(ready, op_finish(op, op->res));
                n++;
            }
        }
        ring_took(r);
    }
    return n;
}

/* ---- for everybody -------------------------------------------------------------------------- */

static long system_call(const struct op *op)
{
    const uint64_t from[ARGS] = {
        [A_FD] = (uint64_t)op->fd, [A_ADDR] = op->addr, [A_LEN] = op->len, [A_OFF] = op->off,
        [A_FLAGS] = op->flags, [A_AUX] = (uint64_t)op->aux, [A_ADDR3] = op->addr3,
    };
    const uint8_t *a = op->desc->args;
    long res = syscall(op->desc->nr, from[a[0]], from[a[1]], from[a[2]], from[a[3]], from[a[4]],
                       from[a[5]]);

    return res < 0 ? -errno : res;
}

long op_call(const struct op *op)
{
    return op->desc->call != NULL ? op->desc->call(op) : system_call(op);
}

long op_plain(const struct op *op)
{
    int saved = errno;
    long res;

    do
        res = op_call(op);
    while (res == -EINTR);
    errno = saved;
    return res;
}

/* Cheap enough to do right here; the M counts as outside meanwhile. */
static long run_inline(struct m *mp, const struct op *op)
{
    struct poller *pl = mp->poller;

    store_relaxed(&pl->inline_ops, pl->inline_ops + 1);
    leave(mp);
    return op_plain(op);
}

long op_run_inline(const struct op *op)
{
    struct m *mp = enter();

    return mp == NULL ? op_plain(op) : run_inline(mp, op);
}

bool op_by_ring(struct m *mp, const struct opdesc *desc)
{
    return desc->how != HOW_POOL && likely(probed.opcodes >> desc->opcode & 1) &&
           poller_ring(mp->poller);
}

/* ---- early ends ----------------------------------------------------------------------------- */

struct op_timer {
    struct timer timer;
    struct op *op;
};

/* It may not be in the ring yet: then it stands on the list already when it comes there. */
static struct quoit_g *op_late(struct timer *timer)
{
    netpoll_cancel(container_of(timer, struct op_timer, timer)->op);
    return NULL;
}

/* Nobody can find it any more. Was it on the list, or not begun for a mark? Then what its end means
 * is said here; a worker of the kernel's that is disturbed says -EINTR. False: it ended by
 * itself. */
static cold bool ended_early(struct op *op)
{
    bool early = op->res == -ECANCELED && limit_cancelled(op->gp);

    /* hint: it was put on the list before it could end, if at all */
    if (load_relaxed(&op->told) != TOLD_NOT) {
        cancel_settle(op);
        op->told = TOLD_NOT;
        early |= op->res == -ECANCELED || op->res == -EINTR;
    }
    if (early)
        op->res = limit_error(op->gp);
    return early;
}

/* The same as below with a deadline. */
static struct m *wait_until(struct m *mp, struct op *op, const char *reason, int64_t deadline)
{
    struct op_timer t = { .timer.fire = op_late, .op = op };

    if (timer_add(mp, &t.timer, deadline) < 0) {
        op->res = -ENOMEM;
        return mp;
    }
    mp = park(mp, hand_to_ring, op, reason);
    timer_del(&t.timer);
    return mp;
}

/* Parked until the ring has done it, if there is room for it. */
static struct m *wait_in_ring(struct m *mp, struct op *op, const char *reason)
{
    struct quoit_g *gp = mp->curg;
    int64_t deadline;

    if (unlikely(!op_has_room(&mp, 1))) {
        op->res = -EINTR;
        return mp;
    }
    op->gp = gp;
    op->pl = mp->poller;
    /* What must be done in any case is not found by who cancels. */
    if (unlikely(op->desc->how == HOW_CLOSE))
        return park(mp, hand_to_ring, op, reason);
    store_relaxed(&gp->waits, (uintptr_t)op + WAITS_OP);
    deadline = limit_deadline(gp);
    if (likely(deadline == INT64_MAX))
        mp = park(mp, hand_to_ring, op, reason);
    else
        mp = wait_until(mp, op, reason, deadline);
    store_relaxed(&gp->waits, 0);
    if (unlikely(load_relaxed(&gp->limits) != 0) && ended_early(op))
        return mp;
    if (unlikely(op->res == -ECANCELED) && op->desc->how != HOW_ENTRY)
        op->res = NO_WORKER;
    return mp;
}

/* Most kernels do not wait where the descriptor has O_NONBLOCK: so it is polled, and the
 * operation begins anew. At once if the goroutine has come to an M that has no ring. */
static cold struct m *poll_first(struct m *mp, struct op *op)
{
    struct op ready = { .desc = &ops[OP_POLL], .fd = op->fd, .flags = (uint32_t)op_events(op) };

    if (!op_by_ring(mp, ready.desc)) {
        op->res = -EINTR;
        return mp;
    }
    mp = wait_in_ring(mp, &ready, op->desc->name);
    op->res = ready.res < 0 ? ready.res : -EINTR;
    return mp;
}

long op_run(struct op *op)
{
    struct m *mp = enter();
    int e;

    if (mp == NULL)
        return op_plain(op);
    if (op->desc->how == HOW_INLINE)
        return run_inline(mp, op);
    if (unlikely(mp->locks != 0))
        pinned(op->desc->name);
    if (unlikely(load_relaxed(&mp->curg->limits) != 0) && op->desc->how != HOW_CLOSE) {
        e = limit_check(mp->curg);
        if (e < 0) {
            leave(mp);
            return e;
        }
    }
    do {
        if (!op_by_ring(mp, op->desc)) {
            if (op->desc->how == HOW_CLOSE || op->desc->how == HOW_ENTRY)
                return run_inline(mp, op);
            mp = posix_wait(mp, op);
        } else {
            mp = wait_in_ring(mp, op, op->desc->name);
            if (unlikely(op->res == -EAGAIN) && op->desc->events != 0)
                mp = poll_first(mp, op);
            else if (unlikely(op->res == NO_WORKER))
                mp = posix_wait(mp, op);
        }
    } while (op->res == -EINTR);
    leave(mp);
    /* An error after some bytes is met again by the next call. */
    return op->done == 0 ? op->res : (long)op->done + (op->res > 0 ? op->res : 0);
}
