/* SPDX-License-Identifier: BSD-3-Clause
 * sema.h - who waits, and how it is woken: base of mutex, semaphore and wait group
 */
#ifndef QUOIT_SCHED_SEMA_H
#define QUOIT_SCHED_SEMA_H

#include "proc.h"

/* Waits until waiter_wake. unlock(arg) as in park; 0 from it: no need to wait. mp may be NULL. */
struct m *waiter_wait(struct m *mp, struct waiter *w, int (*unlock)(void *), void *arg,
                      const char *reason);
/* Exactly once a wait; w is gone afterwards. mp may be NULL. */
void waiter_wake(struct m *mp, struct waiter *w);

/* A queue in one pointer, first in first out; under whatever lock its owner has. */
static inline void waitq_put(struct waiter **q, struct waiter *w)
{
    w->next = NULL;
    if (*q == NULL) {
        *q = w;
    } else {
        w->last = (*q)->last;
        w->last->next = w;
    }
    (*q)->last = w;
}

static inline void waitq_put_first(struct waiter **q, struct waiter *w)
{
    w->next = *q;
    w->last = w;
    if (*q != NULL) {
        w->last = (*q)->last;
        (*q)->last = w;
    }
    *q = w;
}

static inline struct waiter *waitq_get(struct waiter **q)
{
    struct waiter *w = *q;

    *q = w->next;
    if (*q != NULL)
        (*q)->last = w->last;
    return w;
}

/* One that is in there. */
static inline void waitq_del(struct waiter **q, struct waiter *w)
{
    if (*q == w) {
        waitq_get(q);
        return;
    }
    w->last->next = w->next;
    if (w->next != NULL)
        w->next->last = w->last;
    else
        (*q)->last = w->last;
}

/* Between tries for a word whose holder is about to let go. */
void word_pause(int *spins);

#endif
