/* SPDX-License-Identifier: BSD-3-Clause
 * samples.h - equal samples are counted, not kept
 */
#ifndef QUOIT_SCHED_SAMPLES_H
#define QUOIT_SCHED_SAMPLES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Entries stand one behind the other in `words`: how often, how many words, the words. */
struct samples {
    uint64_t *words;
    size_t n, room;
    size_t *table; /* where the entry begins, plus 1; 0: free */
    size_t slots, used;
};

/* False: no memory. */
bool samples_init(struct samples *s);
/* `times` more of these n words; false: no memory for a new entry. */
bool samples_add(struct samples *s, const uint64_t *words, size_t n, uint64_t times);
void samples_free(struct samples *s);

#endif
