/* SPDX-License-Identifier: BSD-3-Clause
 * note.h - one sleep, one wakeup
 *
 * note_clear, then one thread may note_sleep and one may note_wake, in either order. Whoever slept
 * clears before the next round.
 */
#ifndef QUOIT_SCHED_NOTE_H
#define QUOIT_SCHED_NOTE_H

#include "atomic.h"

#include <stdbool.h>
#include <stdint.h>

struct note {
    uint32_t word; /* a  NOTE: 1 once woken */
};

static inline void note_clear(struct note *n)
{
    store_relaxed(&n->word, 0);
}

/* Returns once woken, or false when `deadline` (CLOCK_MONOTONIC ns) has passed. */
bool note_sleep(struct note *n, int64_t deadline);
void note_wake(struct note *n);

#endif
