/* SPDX-License-Identifier: BSD-3-Clause
 * forkq.h - goroutines that have not started, on the P that made them
 *
 * A ring whose two ends and a count of puts sit in one word, so that every change is one
 * compare-and-swap of all three. The owner puts at the tail and takes from either end: the
 * newest (depth first, as fork-join wants it) or the oldest (in order, as services want it).
 * Thieves take the oldest half in one step. A slot changes only by a put, and a put changes the
 * count: so a thief that copied slots and then finds the word unchanged has copied what it
 * takes.
 *
 *              put   newest  oldest  grab
 *      put     no    no      no      yes       put, newest, oldest, pop_this: the M holding this P
 *      newest        no      no      yes       grab: anyone
 *      oldest                no      yes
 *      grab                          yes
 *
 * Tried and dropped: the Chase-Lev deque, whose thieves take one at a time: a thief and an
 * owner that spawns small things then hand the same cache line to and fro for each of them.
 */
#ifndef QUOIT_SCHED_FORKQ_H
#define QUOIT_SCHED_FORKQ_H

#include "atomic.h"
#include "compiler.h"

#include "gmp.h"

#include <stdbool.h>
#include <stdint.h>

/* The word: puts << 32 | tail << 16 | head; the ends run over 2^16. */
static always_inline uint32_t forkq_head(uint64_t word)
{
    return (uint32_t)(word & 0xffff);
}

static always_inline uint32_t forkq_tail(uint64_t word)
{
    return (uint32_t)(word >> 16 & 0xffff);
}

static always_inline uint32_t forkq_count(uint64_t word)
{
    return (forkq_tail(word) - forkq_head(word)) & 0xffff;
}

static always_inline uint64_t forkq_word(uint64_t puts, uint32_t tail, uint32_t head)
{
    return puts << 32 | (uint64_t)(tail & 0xffff) << 16 | (head & 0xffff);
}

/* How often the newest one was taken, over 2^16. */
static always_inline uint16_t forkq_newest(uint64_t word)
{
    return (uint16_t)((word >> 32) - forkq_tail(word));
}

static inline uint32_t forkq_size(const struct forkq *q)
{
    /* hint: stale by the time it is used */
    return forkq_count(load_relaxed(&q->word));
}

/* The owner's step to `to` from *word; false, and *word is read anew: a thief was quicker. */
static always_inline bool forkq_step(struct forkq *q, uint64_t *word, uint64_t to)
{
    /* As in runq.h: no other P, no thief. */
    if (q->alone) {
        store_relaxed(&q->word, to);
        return true;
    }
    /* order FORKQ-PUB out: a slot is filled before the tail shows it; in: forkq_grab
     * order FORKQ-TAKE out: it is read before it is given back; in: forkq_put */
    return cas_acq_rel(&q->word, word, to);
}

/* At the tail; false when full: the caller spills (globrunq.h). */
static always_inline bool forkq_put(struct forkq *q, struct quoit_g *gp)
{
    /* order FORKQ-TAKE in: a slot is reused after its taker has read it; out: forkq_grab,
     * forkq_step */
    uint64_t word = load_acquire(&q->word);

    for (;;) {
        uint32_t tail = forkq_tail(word);

        if (unlikely(forkq_count(word) >= FORKQ_SIZE))
            return false;
        store_relaxed(&q->slot[tail % FORKQ_SIZE], gp);
        if (likely(forkq_step(q, &word,
                              forkq_word((word >> 32) + 1, tail + 1, forkq_head(word)))))
            return true;
    }
}

/* The owner's take, from the tail (newest) or the head; NULL when there is none. */
static always_inline struct quoit_g *forkq_pop(struct forkq *q, bool newest)
{
    uint64_t word = load_relaxed(&q->word);

    for (;;) {
        uint32_t head = forkq_head(word), tail = forkq_tail(word);
        struct quoit_g *gp;

        if (head == tail)
            return NULL;
        gp = load_relaxed(&q->slot[(newest ? tail - 1 : head) % FORKQ_SIZE]);
        if (likely(forkq_step(q, &word,
                              newest ? forkq_word(word >> 32, tail - 1, head)
                                     : forkq_word(word >> 32, tail, head + 1))))
            return gp;
    }
}

/* The owner takes `gp` if it is the newest. */
static always_inline bool forkq_pop_this(struct forkq *q, const struct quoit_g *gp)
{
    uint64_t word = load_relaxed(&q->word);

    for (;;) {
        uint32_t tail = forkq_tail(word);

        if (forkq_count(word) == 0 || load_relaxed(&q->slot[(tail - 1) % FORKQ_SIZE]) != gp)
            return false;
        if (likely(forkq_step(q, &word, forkq_word(word >> 32, tail - 1, forkq_head(word)))))
            return true;
    }
}

/* Copies up to `max`, and no more than half of what is there (rounded up), the oldest first, into
 * `out` and takes them: how many. Anyone. */
static inline uint32_t forkq_grab(struct forkq *q, struct quoit_g **out, uint32_t max)
{
    /* order FORKQ-PUB in: what the word shows is filled; out: forkq_step */
    uint64_t word = load_acquire(&q->word);

    for (;;) {
        uint32_t head = forkq_head(word), tail = forkq_tail(word);
        uint32_t n = forkq_count(word);

        n -= n / 2;
        if (n > max)
            n = max;
        if (n == 0)
            return 0;
        for (uint32_t i = 0; i < n; i++)
            out[i] = load_relaxed(&q->slot[(head + i) % FORKQ_SIZE]);
        /* order FORKQ-TAKE out: the slots are read before they are given back; in: forkq_put.
         * A failure reads the word anew with acquire: order FORKQ-PUB in. */
        if (cas_acq_rel(&q->word, &word, forkq_word(word >> 32, tail, head + n)))
            return n;
    }
}

#endif
