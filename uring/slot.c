/* SPDX-License-Identifier: BSD-3-Clause
 * slot.c - places for files in a ring
 */
#include "slot.h"

#include "atomic.h"

#include "poller.h"

static bool slots_there(struct poller *pl)
{
    struct slots *s = &pl->slots;

    if (!s->there && !s->refused && probed.direct) {
        s->there = ring_slots(&pl->ring, SLOTS) == 0;
        s->refused = !s->there;
    }
    return s->there;
}

int slot_take(struct poller *pl)
{
    struct slots *s = &pl->slots;

    if (!slots_there(pl))
        return -1;
    for (int i = 0; i < SLOT_WORDS; i++) {
        /* hint: one that is given back just now is found the next time */
        uint64_t taken = load_relaxed(&s->taken[i]);
        int bit;

        if (taken == UINT64_MAX)
            continue;
        bit = __builtin_ctzll(~taken);
        add_relaxed(&s->taken[i], UINT64_C(1) << bit);
        return i * 64 + bit;
    }
    return -1;
}

void slot_give(struct poller *pl, int slot)
{
    add_relaxed(&pl->slots.taken[slot / 64], -(UINT64_C(1) << slot % 64));
}
