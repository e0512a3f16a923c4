/* SPDX-License-Identifier: BSD-3-Clause
 * batch.c - several operations of one goroutine at once
 *
 * Each is an operation like any other (op.c), but its end does not make a goroutine ready: it is
 * counted (gather.h), and who waits for so many is made ready by the last of these. So completions
 * may come from any ring and any thread, before and while and after the goroutine waits.
 *
 * Where an operation goes is decided one by one, as for single calls; of chains see chain.c.
 *
 * All but batch_ended belongs to whoever uses the batch.
 */
#include "batch.h"

#include "proc.h"
#include "switch.h"

#include "quoit_io.h"

#include "poller.h"
#include "slot.h"
#include "step.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* So many need no memory but the stack. */
enum { FEW = 16 };

struct quoit_io_batch {
    struct gather gather cacheline_aligned;

    struct step *free cacheline_aligned;
    struct step *first, *last; /* ended and settled, not fetched */
    int room;                  /* free */
    int running;               /* begun, and not seen to have ended */
    int ready;                 /* first to last */
    uint32_t seen;             /* ends that were taken out of gather */
    uint32_t claimed;          /* ends that were waited for there */
};

assert_apart(struct quoit_io_batch, gather, free);

/* ---- records -------------------------------------------------------------------------------- */

static void give_back(struct quoit_io_batch *b, struct step *s)
{
    s->next = b->free;
    b->free = s;
    b->room++;
}

static void batch_init(struct quoit_io_batch *b, struct step *steps, int n)
{
    memset(b, 0, sizeof *b);
    while (n > 0)
        give_back(b, &steps[--n]);
}

static struct step *get(struct quoit_io_batch *b)
{
    struct step *s = b->free;

    b->free = s->next;
    b->room--;
    return s;
}

/* The chain at ios, of n operations. */
static struct step *prepare(struct quoit_io_batch *b, struct quoit_io *ios, int n)
{
    bool own = n > 1 && ios[n - 1].fd == QUOIT_IO_OPENED;
    struct step *first = NULL, **at = &first;

    for (int i = 0; i < n; i++) {
        struct step *s = get(b);

        step_prepare(s, &ios[i], b, own);
        s->chained = n > 1;
        *at = s;
        at = &s->then;
    }
    return first;
}

/* ---- ends ----------------------------------------------------------------------------------- */

struct quoit_g *batch_ended(struct op *op)
{
    struct step *s = container_of(op, struct step, op);

    if (s->ring != NULL)
        slot_give(s->ring, op->aux - 1);
    return gather_put(&op->batch->gather, &s->ended);
}

static void settle(struct quoit_io_batch *b, struct step *s)
{
    step_settle(s);
    s->next = NULL;
    if (b->first == NULL)
        b->first = s;
    else
        b->last->next = s;
    b->last = s;
    b->ready++;
}

static struct quoit_io *fetch(struct quoit_io_batch *b)
{
    struct step *s = b->first;

    if (s == NULL)
        return NULL;
    b->first = s->next;
    b->ready--;
    give_back(b, s);
    return s->io;
}

/* ---- one by itself -------------------------------------------------------------------------- */

static bool is_inline(struct m *mp, const struct step *s)
{
    const struct opdesc *desc = s->op.desc;

    return s->nowait || desc->how == HOW_INLINE ||
           (desc->how == HOW_CLOSE && (s->workerless || !op_by_ring(mp, desc)));
}

static struct m *begin_one(struct m *mp, struct step *s)
{
    if (is_inline(mp, s)) {
        leave(mp);
        step_end(s, op_run_inline(&s->op));
        return enter_g("quoit_io_batch");
    }
    while (!s->workerless && op_by_ring(mp, s->op.desc))
        if (op_has_room(&mp, 1)) {
            op_put(mp, &s->op);
            return mp;
        }
    if (!posix_begin(mp, &s->op, &s->helped))
        step_end(s, s->op.res);
    return mp;
}

/* Most kernels do not wait where the descriptor has O_NONBLOCK: so it is polled first. */
static void poll_instead(struct step *s)
{
    s->op = (struct op){ .desc = &ops[OP_POLL], .fd = s->op.fd, .batch = s->op.batch,
                         .flags = (uint32_t)op_events(&s->op) };
    s->polled = true;
}

/* False: it has ended. Else it is to be begun again, as what it is from here on. */
static bool again(struct m *mp, struct step *s)
{
    int32_t res = s->op.res;

    if (s->chained)
        return false;
    if (s->polled && res >= 0) {
        step_prepare(s, s->io, s->op.batch, false);
        return true;
    }
    if (res == -EAGAIN && s->op.desc->events != 0 && !s->nowait) {
        /* Without a ring it waits as it is. */
        if (op_by_ring(mp, &ops[OP_POLL]))
            poll_instead(s);
        return true;
    }
    /* As in op_run. */
    s->workerless |= res == -ECANCELED;
    return res == -EINTR || res == -ECANCELED;
}

/* ---- begin and wait ------------------------------------------------------------------------- */

/* How many of the array are right: all n, or -EINVAL. */
static int check(const struct quoit_io *ios, int n)
{
    int k;

    for (int i = 0; i < n; i += k) {
        k = chain_check(ios + i, n - i);
        if (k < 0)
            return k;
    }
    return n < 0 || (n > 0 && ios == NULL) ? -EINVAL : n;
}

static int length(const struct quoit_io *ios)
{
    int n = 1;

    while (ios[n - 1].chain & QUOIT_IO_THEN)
        n++;
    return n;
}

static struct m *begin_all(struct m *mp, struct quoit_io_batch *b, struct quoit_io *ios, int n)
{
    int k;

    b->running += n;
    for (int i = 0; i < n; i += k) {
        struct step *first;

        k = length(ios + i);
        first = prepare(b, ios + i, k);
        mp = k > 1 ? chain_begin(mp, first, k) : begin_one(mp, first);
    }
    return mp;
}

/* In the order in which they ended. */
static struct step *taken(struct quoit_io_batch *b)
{
    struct step *s, *first = NULL;

    for (struct gathered *x = gather_take(&b->gather); x != NULL; x = x->next) {
        s = container_of(x, struct step, ended);
        s->next = first;
        first = s;
    }
    return first;
}

/* A thread that is not ours makes one call after another. */
static void make_all(struct quoit_io_batch *b, struct quoit_io *ios, int n)
{
    struct step *s, *next;
    int k;

    for (int i = 0; i < n; i += k) {
        k = length(ios + i);
        chain_make(prepare(b, ios + i, k));
    }
    for (s = taken(b); s != NULL; s = next) {
        next = s->next;
        b->seen++;
        settle(b, s);
    }
}

/* All that have ended until now are settled, and what has to be begun again is. */
static struct m *collect(struct m *mp, struct quoit_io_batch *b)
{
    struct step *s = taken(b), *next;

    for (; s != NULL; s = next) {
        bool interrupted = s->op.res == -EINTR;

        next = s->next;
        b->seen++;
        if (!again(mp, s)) {
            b->running--;
            settle(b, s);
            continue;
        }
        if (interrupted)
            mp = op_later(mp);
        mp = begin_one(mp, s);
    }
    return mp;
}

struct wait {
    struct quoit_io_batch *b;
    struct quoit_g *gp;
    uint32_t n;
};

/* On the stack of whoever runs next. */
static int wait_for(void *arg)
{
    const struct wait *w = arg;

    return gather_wait(&w->b->gather, w->gp, w->n);
}

static struct m *wait_until(struct m *mp, struct quoit_io_batch *b, int least)
{
    for (;;) {
        struct wait w = { .b = b };
        int wanted;

        mp = collect(mp, b);
        wanted = least < b->ready + b->running ? least : b->ready + b->running;
        if (b->ready >= wanted)
            return mp;
        w.gp = mp->curg;
        w.n = b->seen + (uint32_t)(wanted - b->ready) - b->claimed;
        b->claimed += w.n;
        op_flush(mp);
        mp = park(mp, wait_for, &w, "batch");
    }
}

/* What was taken may not have been counted yet, and who counts it must find the batch. */
static void let_go(const struct quoit_io_batch *b)
{
    int spins = 0;

    while (!gather_counted(&b->gather, b->seen - b->claimed))
        if (++spins > 100)
            os_yield();
}

/* ---- public --------------------------------------------------------------------------------- */

static struct m *enter_to_wait(void)
{
    struct m *mp = enter();

    if (mp != NULL && unlikely(mp->locks != 0))
        pinned("quoit_io_batch");
    return mp;
}

struct quoit_io_batch *quoit_io_batch_new(int most)
{
    size_t bytes = sizeof(struct quoit_io_batch) + (size_t)most * sizeof(struct step);
    struct quoit_io_batch *b;

    if (most < 1 || most > QUOIT_IO_BATCH_MAX)
        return NULL;
    b = aligned_alloc(CACHELINE, (bytes + CACHELINE - 1) / CACHELINE * CACHELINE);
    if (b != NULL)
        batch_init(b, (struct step *)(b + 1), most);
    return b;
}

int quoit_io_batch_start(struct quoit_io_batch *b, struct quoit_io *ios, int n)
{
    int e = check(ios, n);
    struct m *mp;

    if (e < 0)
        return e;
    if (n > b->room)
        return -EAGAIN;
    mp = enter_to_wait();
    if (mp == NULL) {
        make_all(b, ios, n);
        return 0;
    }
    mp = begin_all(mp, b, ios, n);
    netpoll_flush(mp);
    leave(mp);
    return 0;
}

int quoit_io_batch_wait(struct quoit_io_batch *b, int least)
{
    struct m *mp;

    if (b->ready >= least)
        return b->ready;
    mp = enter_to_wait();
    if (mp != NULL)
        leave(wait_until(mp, b, least));
    return b->ready;
}

struct quoit_io *quoit_io_batch_next(struct quoit_io_batch *b)
{
    struct m *mp;

    if (b->ready == 0 && b->running > 0 && (mp = enter_to_wait()) != NULL)
        leave(collect(mp, b));
    return fetch(b);
}

int quoit_io_batch_end(struct quoit_io_batch *b)
{
    if (b == NULL)
        return 0;
    quoit_io_batch_wait(b, INT32_MAX);
    if (b->running > 0)
        return -EINVAL;
    let_go(b);
    free(b);
    return 0;
}

static void run_all(struct quoit_io_batch *b, struct quoit_io *ios, int n)
{
    struct m *mp = enter_to_wait();

    if (mp == NULL)
        make_all(b, ios, n);
    else
        leave(wait_until(begin_all(mp, b, ios, n), b, n));
    let_go(b);
}

int quoit_io_batch(struct quoit_io *ios, int n)
{
    struct step few[FEW];
    struct quoit_io_batch here, *b = &here;
    int e = check(ios, n);

    if (e < 0)
        return e;
    if (n <= FEW)
        batch_init(b, few, n);
    else if ((b = quoit_io_batch_new(n)) == NULL)
        return -ENOMEM;
    run_all(b, ios, n);
    if (b != &here)
        free(b);
    return 0;
}
