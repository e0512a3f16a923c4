/* SPDX-License-Identifier: BSD-3-Clause
 * waitgroup.c - waiting for a number of things to be done
 *
 * One word holds how much is left and how many wait; beside it hangs a stack of the waiters.
 * The done that brings zero waits for the last waiter to have hung itself up (it is between two
 * instructions), takes all, and touches the wait group no more before it wakes the first: its
 * memory may be the waiter's to free.
 *
 * Waiters do not say which round they wait for: one that waited already for the next round, while
 * another of this one had not hung itself up yet, would be taken in its place. Hence the rule that
 * all waiters of a round return before the next one begins; a round in the word would have cost
 * every add and done a compare-and-swap in place of an addition.
 */
#include "sema.h"

#include "throw.h"

struct wg {
    uint64_t word;        /* a  WG; left << 32 | waiters */
    struct waiter *stack; /* a  WG */
};
_Static_assert(sizeof(struct wg) == sizeof(quoit_wg), "public size");

struct wg_waiter {
    struct waiter w;
    struct wg *wg;
};

static inline int32_t left(uint64_t word)
{
    return (int32_t)(word >> 32);
}

/* Once the waiter has left its stack. */
static int hang_up(void *arg)
{
    struct wg_waiter *ww = arg;
    struct waiter *top = load_relaxed(&ww->wg->stack);

    do {
        ww->w.next = top;
        /* order WG out: the waiter has left its stack before it can be woken; in: wake_all */
    } while (!cas_release(&ww->wg->stack, &top, &ww->w));
    return 1;
}

static void wait_slow(void *arg)
{
    struct wg *wg = arg;
    struct m *mp = enter();
    struct wg_waiter ww = { .wg = wg, .w.g = mp != NULL ? mp->curg : NULL };
    uint64_t word = load_relaxed(&wg->word);

    for (;;) {
        /* order WG in: all that was done before is seen; out: quoit_wg_add */
        if (left(load_acquire(&wg->word)) == 0)
            break;
        if (left(word) != 0 && cas_relaxed(&wg->word, &word, word + 1)) {
            mp = waiter_wait(mp, &ww.w, hang_up, &ww, "wait group");
            break;
        }
        word = load_relaxed(&wg->word);
    }
    if (mp != NULL)
        leave(mp);
}

static noinline void wake_all(struct wg *wg, uint32_t waiters)
{
    struct m *mp = enter();
    struct waiter *all = NULL;
    int spins = 0;

    /* Nobody adds to a word whose count is zero but who starts the next round, after us. */
    /* order WG out: who finds this zero has seen all that was done, as who found the count's; in:
     * quoit_wg_wait */
    store_release(&wg->word, 0);
    while (waiters > 0) {
        /* order WG in: those who hang there have left their stacks; out: hang_up */
        struct waiter *w = xchg_acquire(&wg->stack, NULL);

        if (w == NULL)
            word_pause(&spins);
        while (w != NULL) {
            struct waiter *next = w->next;

            w->next = all;
            all = w;
            waiters--;
            w = next;
        }
    }
    while (all != NULL) {
        struct waiter *next = all->next;

        waiter_wake(mp, all);
        all = next;
    }
    if (mp != NULL)
        leave(mp);
}

void quoit_wg_add(quoit_wg *qwg, int n)
{
    struct wg *wg = (struct wg *)qwg;
    /* order WG full: what was done comes before the count; who brings zero has seen it all; in:
     * quoit_wg_wait */
    uint64_t old = add_acq_rel(&wg->word, (uint64_t)(int64_t)n << 32);
    int32_t now = (int32_t)((uint32_t)left(old) + (uint32_t)n);

    if (unlikely(now < 0))
        throw(n < 0 ? "quoit_wg_add: the count went below zero"
                    : "quoit_wg_add: the count went past INT32_MAX");
    if (now == 0 && unlikely((uint32_t)old != 0) && n != 0)
        wake_all(wg, (uint32_t)old);
}

void quoit_wg_done(quoit_wg *wg)
{
    quoit_wg_add(wg, -1);
}

void quoit_wg_wait(quoit_wg *qwg)
{
    struct wg *wg = (struct wg *)qwg;

    /* order WG in: all that was done before is seen; out: quoit_wg_add */
    if (left(load_acquire(&wg->word)) != 0)
        context_tail(wait_slow, wg);
}
