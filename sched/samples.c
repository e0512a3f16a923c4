/* SPDX-License-Identifier: BSD-3-Clause
 * samples.c - equal samples are counted, not kept
 *
 * A table with open addressing over entries that never move within their array. A program runs
 * through a few thousand stacks at most, so a profile of a day is no larger than one of a minute.
 */
#include "samples.h"

#include <stdlib.h>
#include <string.h>

enum { SLOTS_FIRST = 256, WORDS_FIRST = 4096, HEAD = 2 };

bool samples_init(struct samples *s)
{
    *s = (struct samples){ .room = WORDS_FIRST, .slots = SLOTS_FIRST };
    s->words = malloc(s->room * sizeof *s->words);
    s->table = calloc(s->slots, sizeof *s->table);
    if (s->words != NULL && s->table != NULL)
        return true;
    samples_free(s);
    return false;
}

void samples_free(struct samples *s)
{
    free(s->words);
    free(s->table);
    *s = (struct samples){ 0 };
}

/* FNV over words, its high half folded in: addresses differ in the middle. */
static size_t hash(const uint64_t *words, size_t n)
{
    uint64_t h = 0xcbf29ce484222325u;

    for (size_t i = 0; i < n; i++)
        h = (h ^ words[i]) * 0x100000001b3u;
    return (size_t)(h ^ h >> 32);
}

/* The slot of the entry with these words, or the free one where it would stand. */
static size_t *find(struct samples *s, const uint64_t *words, size_t n)
{
    for (size_t i = hash(words, n);; i++) {
        size_t *slot = &s->table[i & (s->slots - 1)];
        const uint64_t *entry;

        if (*slot == 0)
            return slot;
        entry = s->words + *slot - 1;
        if (entry[1] == n && memcmp(entry + HEAD, words, n * sizeof *words) == 0)
            return slot;
    }
}

static bool grow_table(struct samples *s)
{
    size_t *old = s->table;

    if (s->used < s->slots / 2)
        return true;
    s->table = calloc(s->slots * 2, sizeof *s->table);
    if (s->table == NULL) {
        s->table = old;
        return false;
    }
    s->slots *= 2;
    free(old);
    for (size_t at = 0; at < s->n; at += HEAD + s->words[at + 1])
        *find(s, s->words + at + HEAD, s->words[at + 1]) = at + 1;
    return true;
}

static bool make_room(struct samples *s, size_t n)
{
    uint64_t *words;

    if (s->n + n <= s->room)
        return true;
    words = realloc(s->words, 2 * (s->room + n) * sizeof *words);
    if (words == NULL)
        return false;
    s->room = 2 * (s->room + n);
    s->words = words;
    return true;
}

bool samples_add(struct samples *s, const uint64_t *words, size_t n, uint64_t times)
{
    size_t *slot = find(s, words, n);

    if (*slot != 0) {
        s->words[*slot - 1] += times;
        return true;
    }
    if (!grow_table(s) || !make_room(s, HEAD + n))
        return false;
    *find(s, words, n) = s->n + 1;
    s->used++;
    s->words[s->n] = times;
    s->words[s->n + 1] = n;
    memcpy(s->words + s->n + HEAD, words, n * sizeof *words);
    s->n += HEAD + n;
    return true;
}
