/* SPDX-License-Identifier: BSD-3-Clause
 * memory.h - words with all their stores, and plain memory: what machine.c works on
 */
#ifndef QUOIT_TESTS_MEMORY_H
#define QUOIT_TESTS_MEMORY_H

#include "machine.h"

struct store {
    uint64_t value;
    struct view view;
    bool glued; /* by a read-modify-write: nothing comes between it and the one before */
};

struct word {
    void *p;
    size_t size;
    int n;
    struct store store[STORES];

    /* Over all schedules so far: which threads touched it, which of them wrote, and what. */
    uint8_t users, writers;
    int nlearned;
    uint64_t learned[LEARNED];
};

/* A load whose store is still to come. */
struct guess {
    bool made, open;
    uint8_t thread, word, clock;
    uint64_t value;
};

extern struct word words[WORDS];
extern int nwords;
extern struct guess guess;
extern struct view global; /* what full fences have passed on */
extern uint8_t last_word[EXPLORE_THREADS]; /* the one that the thread loaded last */
extern bool unfenced; /* this run breaks some fence_light */
extern bool fences;   /* some thread fences: what relaxed loads saw matters later */

static inline int word_number(const struct word *w)
{
    return (int)(w - words);
}

static inline struct store *word_newest(struct word *w)
{
    return &w->store[w->n - 1];
}

/* ---- views ---- */

void view_join(struct view *to, const struct view *from);
/* The running thread's own count goes on: of what can race, plain accesses and guesses. */
void tick(void);

/* ---- steps of the running thread ---- */

/* The next access, in a turn of its own or in the one that runs. */
void go(const struct site *s, bool turn);
void remember(uint64_t read);

/* ---- words ---- */

uint64_t peek(const void *p, size_t size);
struct word *word_find(const void *p, size_t size);
bool word_is_late(const struct word *w);
/* The turn of an access. */
struct word *word_turn(const struct site *s, const void *p, size_t size, bool writes);
/* Picks a store for a load from those that the thread may still see; `skip`: older ones only if
 * their value differs from *skip. */
int word_pick(struct word *w, const uint64_t *skip);
void word_see(const struct word *w, int pos, int order);
/* carried: the view of the store that a read-modify-write replaces. */
void word_insert(struct word *w, int pos, uint64_t value, int order, const struct view *carried);

/* ---- plain memory (plain.c) ---- */

void plain_judge(void);
void plain_forget(void);
void plain_reset(void);
void plain_begin(void);
void plain_settle(void);
uint64_t plain_hash(uint64_t h);
uint64_t mix(uint64_t h, const void *p, size_t size);

#endif
