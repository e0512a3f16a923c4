/* SPDX-License-Identifier: BSD-3-Clause
 * newproc.h - birth and death of goroutines
 */
#ifndef QUOIT_SCHED_NEWPROC_H
#define QUOIT_SCHED_NEWPROC_H

#include "gstatus.h"
#include "p.h"
#include "proc.h"

/* 0, -ENOMEM; newproc_attr and newproc_shared -EINVAL too. fn is not NULL; site is where the
 * public function was called. */
int newproc_plain(struct m *mp, quoit_fn fn, void *arg, const void *site);
/* The goroutine whose end is the end of quoit_main, in no queue yet; NULL: no memory. */
struct quoit_g *newproc_main(struct m *mp, quoit_fn fn, void *arg);
int newproc_copy(struct m *mp, quoit_fn fn, const void *arg, size_t len, const void *site);
int newproc_attr(struct m *mp, const struct quoit_attr *attr, quoit_fn fn, void *arg,
                 const void *site);
/* Through the shared queue of np: from threads that are not ours, and for another node. attr
 * may be NULL. */
int newproc_shared(struct node *np, const struct quoit_attr *attr, quoit_fn fn, void *arg,
                   size_t copylen, const void *site);

/* The record of one that may be born some day, in state Gdead and counted nowhere; NULL: no memory.
 * Whoever has it gives it to g_born or to gfput. */
struct quoit_g *newproc_unborn(struct m *mp, quoit_fn fn, void *arg, const void *site);

/* It is in the caller's hands, who queues it. mp may be NULL. */
static inline void g_born(struct m *mp, struct quoit_g *gp)
{
    if (mp != NULL && mp->p != NULL)
        count_add(&mp->p->count.spawned, 1);
    else
        add_relaxed(&sched.foreign_spawned, 1);
    gstatus_set(gp, Gdead, Grunnable);
}

/* The end of the running goroutine. With at_bottom (nothing on the stack is needed any more but the
 * caller's frame) an unstarted goroutine may be returned, which has the stack now and runs next. */
struct quoit_g *goexit0(struct m *mp, int result, bool at_bottom);
noreturn_fn void goexit1(struct m *mp, int result);

/* The calling thread as a goroutine, in state Gdead; NULL for no memory. Any thread. */
struct quoit_g *newproc_attached(struct node *np, const void *site);

#endif
