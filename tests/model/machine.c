/* SPDX-License-Identifier: BSD-3-Clause
 * machine.c - what a thread can do to memory, step by step; see machine.h
 */
#include "memory.h"

#include <errno.h>
#include <string.h>

uint32_t fence_bias;

static uint64_t cut(uint64_t value, size_t size)
{
    return size == 8 ? value : value & ((UINT64_C(1) << size * 8) - 1);
}

/* ---- fences --------------------------------------------------------------------------------- */

static void view_fence(struct mthread *t, struct view *with)
{
    machine_learned |= !fences;
    fences = true;
    view_join(&t->cur, &t->acq);
    view_join(with, &t->cur);
    view_join(&t->cur, with);
    t->acq = t->rel = t->cur;
}

void model_fence(struct site *s)
{
    if (self < 0)
        return;
    go(s, true);
    if (site_order(s) & FULL)
        view_fence(&threads[self], &global);
    note_step(0, 0, site_order(s) & FULL ? NULL : "left out");
}

/* Without it the compiler may put the load that follows before the store that comes first: it
 * then finds what was to be seen before that store, whatever a fence_heavy did in between. */
void model_fence_light(struct site *s)
{
    if (self < 0 || (site_order(s) & FULL))
        return;
    machine_learned |= !unfenced;
    unfenced = true;
    threads[self].hasty = true;
}

/* The kernel interrupts one running thread after the other; what it orders is each of them against
 * the caller. */
void model_fence_heavy(struct site *s)
{
    struct view seen;

    if (self < 0 || fence_bias != 0) {
        model_fence(s);
        return;
    }
    if (!(site_order(s) & FULL))
        return;
    go(s, true);
    view_fence(&threads[self], &global);
    note_step(0, 0, NULL);
    seen = threads[self].cur;
    for (int t = 0; t < nthreads; t++) {
        if (t == self)
            continue;
        go(s, true);
        view_fence(&threads[t], &seen);
        note_step((uint64_t)t + 1, 0, "in thread");
    }
    view_join(&threads[self].cur, &seen);
    view_fence(&threads[self], &global);
}

/* ---- accesses ------------------------------------------------------------------------------- */

static bool guess_later(struct word *w, uint64_t *value)
{
    int n;

    if (guess.made || !word_is_late(w))
        return false;
    n = choose(w->nlearned + 1);
    if (n == 0)
        return false;
    tick();
    guess = (struct guess){.made = true, .open = true, .thread = (uint8_t)self,
                           .word = (uint8_t)(w - words),
                           .clock = threads[self].cur.clock[self], .value = w->learned[n - 1]};
    *value = guess.value;
    return true;
}

uint64_t model_load(struct site *s, const void *p, size_t size)
{
    struct word *w;
    uint64_t value;
    int pos;

    if (self < 0)
        return peek(p, size);
    w = word_turn(s, p, size, false);
    if (!(site_order(s) & IN) && guess_later(w, &value)) {
        note_step(value, 0, "from a store still to come");
    } else {
        pos = word_pick(w, NULL);
        word_see(w, pos, site_order(s));
        value = w->store[pos].value;
        note_step(value, w->n - 1 - pos, NULL);
    }
    remember(value);
    return value;
}

void model_store(struct site *s, void *p, size_t size, uint64_t value)
{
    struct word *w;
    int pos[STORES], n = 0;

    value = cut(value, size);
    if (self < 0) {
        memcpy(p, &value, size);
        return;
    }
    w = word_turn(s, p, size, true);
    for (int i = w->n; i > threads[self].cur.at[w - words]; i--) {
        if (i == w->n || !w->store[i].glued)
            pos[n++] = i;
    }
    n = choose(n);
    note_step(value, w->n - pos[n], NULL);
    word_insert(w, pos[n], value, site_order(s), NULL);
}

static uint64_t rmw_value(enum rmw how, uint64_t old, uint64_t value)
{
    return how == RMW_ADD ? old + value : value;
}

/* Replaces the newest store of w. */
static void word_replace(struct word *w, uint64_t value, int order)
{
    struct view carried = w->store[w->n - 1].view;

    word_see(w, w->n - 1, order);
    if (order & FULL)
        view_fence(&threads[self], &global);
    word_insert(w, w->n, value, order, &carried);
    if (order & FULL)
        view_fence(&threads[self], &global);
}

uint64_t model_rmw(struct site *s, void *p, size_t size, enum rmw how, uint64_t value)
{
    struct word *w;
    uint64_t old;

    if (self < 0) {
        old = peek(p, size);
        value = rmw_value(how, old, value);
        memcpy(p, &value, size);
        return old;
    }
    w = word_turn(s, p, size, true);
    old = w->store[w->n - 1].value;
    last_word[self] = (uint8_t)(w - words);
    note_step(old, 0, NULL);
    word_replace(w, cut(rmw_value(how, old, value), size), site_order(s));
    remember(old);
    return old;
}

bool model_cas(struct site *s, void *p, size_t size, void *seen, uint64_t want, int failorder)
{
    uint64_t expected = peek(seen, size), old;
    struct word *w;
    int pos;

    want = cut(want, size);
    if (self < 0) {
        old = peek(p, size);
        memcpy(old == expected ? p : seen, old == expected ? &want : &old, size);
        return old == expected;
    }
    w = word_turn(s, p, size, true);
    pos = word_pick(w, &expected);
    old = w->store[pos].value;
    note_step(old, w->n - 1 - pos, old == expected ? "done" : "failed");
    remember(old);
    if (old == expected) {
        word_replace(w, want, site_order(s));
        return true;
    }
    word_see(w, pos, site_order(s) & failorder);
    memcpy(seen, &old, size);
    return false;
}

/* As in sched/os_linux.c. */
uint32_t model_fence_and_load(struct site *s, const uint32_t *p)
{
    if (fence_bias != 0)
        model_fence(s);
    return (uint32_t)model_load(s, p, sizeof(*p)) & ~(1u << 30);
}

/* ---- waiting -------------------------------------------------------------------------------- */

/* The first rounds of a loop go on at once; after them the loop waits until the word that it
 * looks at has a newer store, and is shown it: else no search would end. */
void model_relax(struct site *s)
{
    struct mthread *t = &threads[self];
    int word;

    if (self < 0 || t->relaxed < STALE) {
        if (self >= 0)
            t->relaxed++;
        return;
    }
    word = last_word[self];
    t->word = last_word[self];
    t->pos = t->cur.at[word];
    t->state = T_SPINS;
    go(s, true);
    note_step(0, 0, NULL);
    t->word = 0;
    if (t->cur.at[word] <= t->pos)
        t->cur.at[word] = t->pos + 1;
    t->pos = 0;
}

/* The kernel queues the thread, then compares behind a full fence; who wakes looks behind one
 * too. */
int model_futex_wait(struct site *s, uint32_t *p, uint32_t value, int64_t deadline)
{
    struct mthread *t = &threads[self];
    struct word *w;
    bool woken;
    int pos;

    w = word_turn(s, p, sizeof(*p), true);
    view_fence(t, &global);
    pos = word_pick(w, NULL);
    word_see(w, pos, RELAXED);
    if (w->store[pos].value != value) {
        note_step(w->store[pos].value, w->n - 1 - pos, "differs");
        remember(0);
        return -EAGAIN;
    }
    note_step(value, w->n - 1 - pos, "sleeps");
    t->state = T_SLEEPS;
    t->word = (uint8_t)(w - words);
    t->timed = deadline != INT64_MAX;
    t->woken = false;
    go(s, true);
    note_step(0, 0, t->woken ? "woken" : "time is up");
    remember(t->woken ? 1 : 2);
    woken = t->woken;
    t->word = t->timed = t->woken = 0;
    return woken ? 0 : -ETIMEDOUT;
}

void model_futex_wake(struct site *s, uint32_t *p, int n)
{
    struct word *w;
    int who[EXPLORE_THREADS], k;

    w = word_turn(s, p, sizeof(*p), true);
    view_fence(&threads[self], &global);
    for (;;) {
        k = 0;
        for (int t = 0; t < nthreads; t++) {
            if (threads[t].state == T_SLEEPS && threads[t].word == w - words)
                who[k++] = t;
        }
        if (k == 0 || n-- == 0)
            break;
        k = who[choose(k)];
        threads[k].state = T_READY;
        threads[k].woken = true;
        note_step((uint64_t)k + 1, 0, "wakes thread");
    }
    if (k == 0)
        note_step(0, 0, "nobody sleeps");
}

/* Waits until the word is set, or clear, and sets it: a note, or a lock, in one step. */
void model_await(struct site *s, uint32_t *p, bool set)
{
    struct mthread *t = &threads[self];
    struct word *w;

    if (self < 0) {
        *p = 1;
        return;
    }
    t->word = (uint8_t)(word_find(p, sizeof(*p)) - words);
    t->state = set ? T_AWAITS_SET : T_AWAITS_CLEAR;
    w = word_turn(s, p, sizeof(*p), true);
    t->word = 0;
    note_step(1, 0, NULL);
    word_replace(w, 1, site_order(s));
}

bool machine_can_go(int i)
{
    const struct mthread *t = &threads[i];
    const struct word *w = &words[t->word];

    if (t->state == T_AWAITS_SET || t->state == T_AWAITS_CLEAR)
        return (w->store[w->n - 1].value != 0) == (t->state == T_AWAITS_SET);
    return t->state == T_READY || (t->state == T_SLEEPS && t->timed) ||
           (t->state == T_SPINS && words[t->word].n - 1 > t->pos);
}

int explore_sleepers(void)
{
    int n = 0;

    for (int t = 0; t < nthreads; t++)
        n += threads[t].state == T_SLEEPS || threads[t].state == T_AWAITS_SET;
    return n;
}
