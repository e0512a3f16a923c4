/* SPDX-License-Identifier: BSD-3-Clause
 * fixed.c - memory that the program has registered with all rings
 *
 * The kernel pins the pages of such memory, for each ring once more, and counts them against
 * RLIMIT_MEMLOCK. Where it refuses the memory is used like any other.
 *
 * A place that was emptied and filled again has another version, so a ring never takes what it
 * has there for something else. Turned down: to tell the other rings at once. Their owners may be
 * filling in entries that name a place, where they have SINGLE_ISSUER (experiment defer) only they
 * may register, and to wake them would cost those who do no I/O.
 */
#include "fixed.h"

#include "lock.h"
#include "proc.h"

#include "quoit_io.h"

#include "op.h"
#include "poller.h"

#include <errno.h>
#include <string.h>
#include <sys/uio.h>

/* What the kernel takes as one. */
static const uint64_t range_max = 1u << 30;

uint32_t fixed_version;

static struct {
    struct lock lock;
    int n; /* places that were ever in use */
    struct fixed_range ranges[FIXED_MOST];
    uint64_t refusals; /* a */
} table;

static void hold(struct m *mp)
{
    if (mp != NULL)
        mp->locks++;
    lock(&table.lock);
}

static void let_go(struct m *mp)
{
    unlock(&table.lock);
    if (mp != NULL)
        mp->locks--;
}

/* ---- the owner of a ring -------------------------------------------------------------------- */

static bool has_places(struct poller *pl)
{
    struct fixed *f = &pl->fixed;

    if (!f->there && !f->refused) {
        f->there = ring_places_for_memory(&pl->ring, FIXED_MOST) == 0;
        f->refused = !f->there;
    }
    return f->there;
}

static void update_one(struct poller *pl, int i, const struct fixed_range *now)
{
    struct fixed_range *has = &pl->fixed.ranges[i];
    bool empty = has->bytes == 0 || has->refused;

    if (has->version == now->version)
        return;
    *has = *now;
    if (empty && now->bytes == 0)
        return;
    has->refused = !has_places(pl) || ring_put_memory(&pl->ring, i, op_pointer(now->at),
                                                      now->bytes) < 0;
    if (has->refused)
        add_relaxed(&table.refusals, 1);
}

void fixed_update(struct poller *pl)
{
    struct fixed *f = &pl->fixed;
    struct m *mp = m_get();

    hold(mp);
    for (int i = 0; i < table.n; i++)
        update_one(pl, i, &table.ranges[i]);
    f->n = table.n;
    while (f->n > 0 && table.ranges[f->n - 1].bytes == 0)
        f->n--;
    f->version = fixed_version;
    let_go(mp);
}

int fixed_find(struct fixed *f, uint64_t at, uint64_t bytes)
{
    for (int i = 0; i < f->n; i++) {
        const struct fixed_range *r = &f->ranges[i];

        if (at - r->at < r->bytes && bytes <= r->bytes - (at - r->at) && !r->refused)
            return i;
    }
    return -1;
}

uint64_t fixed_refusals(void)
{
    return load_relaxed(&table.refusals);
}

void fixed_after_fork_child(void)
{
    store_relaxed(&table.lock.word, 0);
}

/* ---- public --------------------------------------------------------------------------------- */

static int place_locked(uint64_t at, uint64_t bytes)
{
    for (int i = 0; i < table.n; i++)
        if (table.ranges[i].at == at && table.ranges[i].bytes == bytes)
            return i;
    return -1;
}

static void change_locked(int i, uint64_t at, uint64_t bytes)
{
    uint32_t version = fixed_version + 1 != 0 ? fixed_version + 1 : 1;

    table.ranges[i] = (struct fixed_range){ .at = at, .bytes = bytes, .version = version };
    /* hint: fixed_any */
    store_relaxed(&fixed_version, version);
}

static int register_locked(uint64_t at, uint64_t n)
{
    int i = place_locked(0, 0);

    if (place_locked(at, n) >= 0)
        return -EEXIST;
    if (i < 0 && table.n == FIXED_MOST)
        return -ENOSPC;
    if (i < 0)
        i = table.n++;
    change_locked(i, at, n);
    return 0;
}

int quoit_buf_register(void *p, size_t n)
{
    struct m *mp;
    int e;

    if (p == NULL || n == 0 || n > range_max)
        return -EINVAL;
    mp = enter();
    hold(mp);
    e = register_locked(op_word(p), n);
    let_go(mp);
    if (mp != NULL)
        leave(mp);
    return e;
}

int quoit_buf_unregister(void *p, size_t n)
{
    struct m *mp = enter();
    int i;

    hold(mp);
    i = p != NULL && n > 0 ? place_locked(op_word(p), n) : -1;
    if (i >= 0)
        change_locked(i, 0, 0);
    let_go(mp);
    if (mp != NULL)
        leave(mp);
    return i >= 0 ? 0 : -ENOENT;
}
