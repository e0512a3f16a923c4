/* SPDX-License-Identifier: BSD-3-Clause
 * chain.c - operations of a batch that go one after another
 *
 * A chain goes to the ring if all its steps can, linked, in one submission; else what does not
 * block is done at once, and a thread of the pool makes the rest of its calls one after another.
 * Its own file has a place in the ring, or a descriptor that only the chain knows.
 */
#include "proc.h"

#include "poller.h"
#include "slot.h"
#include "step.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>

/* Longer ones would want a whole queue for themselves. */
enum { CHAIN_MOST = RING_ENTRIES / 2 };

/* ---- by ring -------------------------------------------------------------------------------- */

static bool chain_by_ring(struct m *mp, const struct step *s)
{
    for (; s != NULL; s = s->then)
        if (s->nowait || s->op.desc->how == HOW_INLINE || !op_by_ring(mp, s->op.desc))
            return false;
    /* A thread of the kernel that looks at several rings takes a few entries at a time, and what it
     * cuts off of a chain does not wait. */
    return !mp->poller->ring.polled;
}

static void put_step(struct m *mp, struct step *s, int slot)
{
    struct op *op = &s->op;

    if (s->then != NULL)
        op->links = IOSQE_IO_HARDLINK;
    if (s->own == OWN_USES) {
        op->fd = slot;
        op->links |= IOSQE_FIXED_FILE;
    } else if (s->own != OWN_NOT) {
        op->aux = slot + 1;
    }
    if (s->own == OWN_OPENS)
        op->flags &= ~(uint32_t)O_CLOEXEC;
    if (s->own == OWN_CLOSES) {
        op->fd = 0;
        s->ring = mp->poller;
    }
    op_put(mp, op);
}

/* With room for all of it. False: no place for its file. */
static bool put_chain(struct m *mp, struct step *first)
{
    int slot = first->own == OWN_OPENS ? slot_take(mp->poller) : 0;
    struct step *next;

    if (slot < 0)
        return false;
    for (struct step *s = first; s != NULL; s = next) {
        next = s->then;
        put_step(mp, s, slot);
    }
    return true;
}

/* ---- without a ring ------------------------------------------------------------------------- */

static long try_step(struct op *op)
{
    return op->desc->how == HOW_INLINE || op->desc->how == HOW_CLOSE ? op_plain(op) : posix_try(op);
}

static long call_step(struct op *op)
{
    return op_plain(op);
}

/* What does not block is done: the first step that would. */
static struct step *chain_try(struct step *s, int *opened)
{
    while (s != NULL) {
        struct step *next = s->then;
        long res = chain_step(s, opened, try_step);

        if ((res == -EAGAIN && !s->nowait) || res == -EOPNOTSUPP || res == LOOK_LASTS)
            break;
        step_end(s, res);
        s = next;
    }
    return s;
}

static void call_here(struct step *s, int *opened)
{
    while (s != NULL) {
        struct step *next = s->then;

        step_end(s, chain_step(s, opened, call_step));
        s = next;
    }
}

void chain_make(struct step *first)
{
    int opened = -1;

    call_here(first, &opened);
}

static void close_own(void *opened)
{
    if (*(int *)opened >= 0)
        close(*(int *)opened);
}

static void call_in_pool(struct step *s, int *opened)
{
    while (s != NULL) {
        struct step *next = s->then;

        posix_finish(&s->op, chain_step(s, opened, posix_call));
        s = next;
    }
}

/* In a thread of the pool, which may be cancelled. */
static void run_chain(struct block_job *job)
{
    struct step *last = container_of(job, struct step, helped.job);
    int opened = last->opened;

    pthread_cleanup_push(close_own, &opened);
    call_in_pool(last->at, &opened);
    pthread_cleanup_pop(0);
}

static bool chain_to_pool(struct m *mp, struct step *s, int opened)
{
    struct step *last = s;
    struct block_thread *thread;
    int n = 1;

    for (; last->then != NULL; last = last->then)
        n++;
    for (struct step *x = s; x != NULL; x = x->then)
        x->op.helped = &last->helped;
    last->at = s;
    last->opened = opened;
    last->helped.job = (struct block_job){
        .run = run_chain, .kind = chain_lasts(s) ? BLOCK_LASTS : BLOCK_ENDS, .cancel = true };
    if (!posix_give(mp, &last->helped.job, n, &thread))
        return false;
    block_go(thread);
    return true;
}

static void chain_elsewhere(struct m *mp, struct step *first)
{
    int opened = -1;
    struct step *s = chain_try(first, &opened);

    if (s != NULL && !chain_to_pool(mp, s, opened))
        /* Slow beats not at all. */
        call_here(s, &opened);
}

struct m *chain_begin(struct m *mp, struct step *first, int n)
{
    while (n <= CHAIN_MOST && chain_by_ring(mp, first)) {
        if (!op_has_room(&mp, (unsigned)n))
            continue;
        if (put_chain(mp, first))
            return mp;
        break;
    }
    chain_elsewhere(mp, first);
    return mp;
}
