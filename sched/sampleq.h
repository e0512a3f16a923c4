/* SPDX-License-Identifier: BSD-3-Clause
 * sampleq.h - samples of the profiler on their way from one thread to who collects them
 *
 * A signal handler writes, on the thread that it interrupted; another thread reads. May these run
 * at the same time?
 *
 *            put   get
 *     put    no    yes     put: the handler of one thread, which does not interrupt itself
 *     get          no      get: under the lock of the profile
 *
 * head and tail count words and never turn back. A sample that finds no room is dropped whole, and
 * counted: a handler waits for nobody.
 */
#ifndef QUOIT_SCHED_SAMPLEQ_H
#define QUOIT_SCHED_SAMPLEQ_H

#include "atomic.h"
#include "compiler.h"

#include <stdbool.h>
#include <stdint.h>

struct sampleq {
    uint64_t *slot; /* c  NULL: no samples were ever taken here */
    uint32_t mask;  /* c  number of slots, a power of two, less one */
    uint32_t tail;  /* a  SAMPLEQ-PUT; written by the handler */
    uint32_t head;  /* a  SAMPLEQ-GET; written by who collects */
    uint32_t lost;  /* a  hint: samples that found no room */
};

/* Is there a sample? A hint. */
static inline bool sampleq_waits(const struct sampleq *l)
{
    return load_relaxed(&l->tail) != load_relaxed(&l->head);
}

static inline void sampleq_put(struct sampleq *l, const uint64_t *words, uint32_t n)
{
    uint32_t tail = load_relaxed(&l->tail);
    /* order SAMPLEQ-GET in: the words that stood here were read; out: sampleq_get */
    uint32_t head = load_acquire(&l->head);

    if (l->mask + 1 - (tail - head) < n + 1) {
        store_relaxed(&l->lost, load_relaxed(&l->lost) + 1);
        return;
    }
    store_relaxed(&l->slot[tail & l->mask], n);
    for (uint32_t i = 0; i < n; i++)
        store_relaxed(&l->slot[(tail + 1 + i) & l->mask], words[i]);
    /* order SAMPLEQ-PUT out: the sample is whole before tail shows it; in: sampleq_get */
    store_release(&l->tail, tail + 1 + n);
}

/* How many words there are of the oldest sample, 0: there is none. */
static inline uint32_t sampleq_get(struct sampleq *l, uint64_t *words)
{
    uint32_t head = load_relaxed(&l->head), n;

    /* order SAMPLEQ-PUT in: the sample is whole; out: sampleq_put */
    if (load_acquire(&l->tail) == head)
        return 0;
    n = (uint32_t)load_relaxed(&l->slot[head & l->mask]);
    for (uint32_t i = 0; i < n; i++)
        words[i] = load_relaxed(&l->slot[(head + 1 + i) & l->mask]);
    /* order SAMPLEQ-GET out: the words were read before they are written over; in: sampleq_put */
    store_release(&l->head, head + 1 + n);
    return n;
}

#endif
