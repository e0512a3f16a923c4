/* SPDX-License-Identifier: BSD-3-Clause
 * timer.c - the heap of deadlines that each P has
 *
 * Four children a node, which share a cache line. An entry knows its deadline and a slot, a small
 * number by which the timer is found and its place in the heap remembered. So moving entries
 * around touches these arrays only, never the timers: they sit on stacks, each on a page of its
 * own, and a place kept there would cost eight misses for each one fired of 100,000.
 *
 * The arrays are one block of the P's node. It doubles when full, and is halved when an eighth is
 * in use; both renumber the slots. Blocks are fetched and given back with the lock let go.
 */
#include "timer.h"

#include "cpu.h"

#include "mem.h"

#include "proc.h"

#include <errno.h>

enum {
    WIDTH = 4,
    ROOM_MIN = 128, /* one page */
    BATCH = 128,    /* the lock is held so long, and I/O has its turn in between */
};

struct timer_entry {
    int64_t when;
    uint32_t slot;
    uint32_t seq;
};

/* Puts the first child, and so each group of children, on a line. */
enum { HEAD = CACHELINE / sizeof(struct timer_entry) - 1 };
_Static_assert(WIDTH * sizeof(struct timer_entry) == CACHELINE, "children share a line");

/* ---- the heap, under its lock --------------------------------------------------------------- */

static inline bool before(const struct timer_entry *a, const struct timer_entry *b)
{
    if (a->when != b->when)
        return a->when < b->when;
    return (int32_t)(a->seq - b->seq) < 0;
}

static inline void place(struct timers *ts, uint32_t i, struct timer_entry e)
{
    ts->heap[i] = e;
    ts->at[e.slot] = i;
}

/* The hole at i is for e, or for what stands above it. */
static void sift_up(struct timers *ts, uint32_t i, struct timer_entry e)
{
    while (i > 0) {
        uint32_t up = (i - 1) / WIDTH;

        if (!before(&e, &ts->heap[up]))
            break;
        place(ts, i, ts->heap[up]);
        i = up;
    }
    place(ts, i, e);
}

/* The hole at i is for e, or for what stands below it. */
static void sift_down(struct timers *ts, uint32_t i, struct timer_entry e)
{
    for (;;) {
        uint32_t child = i * WIDTH + 1, last = child + WIDTH, least = child;

        if (child >= ts->n)
            break;
        if (last > ts->n)
            last = ts->n;
        while (++child < last)
            if (before(&ts->heap[child], &ts->heap[least]))
                least = child;
        if (!before(&ts->heap[least], &e))
            break;
        place(ts, i, ts->heap[least]);
        i = least;
    }
    place(ts, i, e);
}

static void tell_next(struct timers *ts)
{
    /* hint: see timer.h */
    store_relaxed(&ts->next, ts->n > 0 ? ts->heap[0].when : 0);
}

static void insert(struct timers *ts, struct timer *t, int64_t when)
{
    struct timer_entry e = { when, ts->free, ts->seq++ };

    ts->free = ts->at[e.slot];
    ts->timer[e.slot] = t;
    t->in = ts;
    t->slot = e.slot;
    sift_up(ts, ts->n++, e);
}

static struct timer *extract(struct timers *ts, uint32_t i)
{
    uint32_t slot = ts->heap[i].slot;
    struct timer *t = ts->timer[slot];
    struct timer_entry e = ts->heap[--ts->n];

    ts->at[slot] = ts->free;
    ts->free = slot;
    t->slot = TIMER_OUT;
    if (i == ts->n)
        return t;
    if (i > 0 && before(&e, &ts->heap[(i - 1) / WIDTH]))
        sift_up(ts, i, e);
    else
        sift_down(ts, i, e);
    return t;
}

/* ---- room ----------------------------------------------------------------------------------- */

static size_t block_bytes(uint32_t room)
{
    return (room + HEAD) * sizeof(struct timer_entry) +
           room * (sizeof(struct timer *) + sizeof(uint32_t));
}

static void *block_of(const struct timers *ts)
{
    return ts->heap - HEAD;
}

/* All into the arrays of `to`, whose slots are numbered afresh. */
static void move(struct timers *to, const struct timers *from)
{
    for (uint32_t i = 0; i < from->n; i++) {
        struct timer_entry e = from->heap[i];
        struct timer *t = from->timer[e.slot];

        t->slot = e.slot = i;
        to->timer[i] = t;
        place(to, i, e);
    }
    for (uint32_t i = from->n; i < to->room; i++)
        to->at[i] = i + 1;
}

/* Anyone, without the lock. False: no memory. What was asked for may be outdated by the time that
 * it is there: then nothing changes. */
static bool resize(struct timers *ts, uint32_t room, int node)
{
    int saved = errno;
    void *block = mem_reserve(block_bytes(room), 0, node);
    uint32_t old;

    errno = saved;
    if (block == NULL)
        return false;
    lock(&ts->lock);
    old = ts->room;
    if (ts->n < room) {
        struct timers to = *ts;

        to.room = room;
        to.heap = (struct timer_entry *)block + HEAD;
        to.timer = (struct timer **)(to.heap + room);
        to.at = (uint32_t *)(to.timer + room);
        move(&to, ts);
        block = old > 0 ? block_of(ts) : NULL;
        ts->room = room;
        ts->heap = to.heap;
        ts->timer = to.timer;
        ts->at = to.at;
        ts->free = ts->n;
        room = old;
    }
    unlock(&ts->lock);
    if (block != NULL)
        mem_release(block, block_bytes(room));
    errno = saved;
    return true;
}

void timers_fini(struct timers *ts)
{
    if (ts->room > 0)
        mem_release(block_of(ts), block_bytes(ts->room));
    ts->room = ts->n = 0;
    tell_next(ts);
}

/* ---- for others ----------------------------------------------------------------------------- */

int timer_add(struct m *mp, struct timer *t, int64_t when)
{
    struct timers *ts = &mp->p->timers;

    lock(&ts->lock);
    if (unlikely(ts->n == ts->room)) {
        uint32_t room = ts->room > 0 ? 2 * ts->room : ROOM_MIN;

        unlock(&ts->lock);
        if (!resize(ts, room, mp->p->place.node))
            return -ENOMEM;
        /* Others take out and may halve, but always leave room for one. */
        lock(&ts->lock);
    }
    insert(ts, t, when);
    tell_next(ts);
    unlock(&ts->lock);
    return 0;
}

bool timer_del(struct timer *t)
{
    struct timers *ts = t->in;
    bool there;

    lock(&ts->lock);
    there = t->slot != TIMER_OUT;
    if (there) {
        extract(ts, ts->at[t->slot]);
        tell_next(ts);
    }
    unlock(&ts->lock);
    return there;
}

bool timer_waits(struct timer *t)
{
    bool there;

    lock(&t->in->lock);
    there = t->slot != TIMER_OUT;
    unlock(&t->in->lock);
    return there;
}

/* One batch into the list; how many fired. */
static int fire_locked(struct timers *ts, int64_t now, struct glist *list)
{
    int fired = 0;

    while (fired < BATCH && ts->n > 0 && ts->heap[0].when <= now) {
        struct timer *t = extract(ts, 0);
        struct quoit_g *gp;

        if (ts->n > 0)
            prefetch_write(ts->timer[ts->heap[0].slot]);
        gp = t->fire(t);
        fired++;
        if (gp == NULL)
            continue;
        gp->link = NULL;
        if (list->last != NULL)
            list->last->link = gp;
        else
            list->first = gp;
        list->last = gp;
        list->n++;
    }
    return fired;
}

int timers_run(struct m *mp, struct p *pp, int64_t now)
{
    struct timers *ts = &pp->timers;
    struct glist list = { NULL, NULL, 0 };
    uint32_t half = 0;
    int fired;

    lock(&ts->lock);
    fired = fire_locked(ts, now, &list);
    tell_next(ts);
    if (ts->room > ROOM_MIN && ts->n <= ts->room / 8)
        half = ts->room / 2;
    unlock(&ts->lock);
    injectglist(mp, &list);
    /* Without memory for less it stays as large as it is. */
    if (unlikely(half > 0))
        (void)resize(ts, half, pp->place.node);
    return fired;
}
