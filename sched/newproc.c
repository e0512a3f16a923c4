/* SPDX-License-Identifier: BSD-3-Clause
 * newproc.c - birth and death of goroutines
 *
 * Born: a record from the P's free list, into the P's queue of unstarted ones. A stack comes
 * when it first runs. One that ends hands its warm stack straight to the next unstarted one, in
 * a loop at the bottom of that stack: a million short goroutines then run on one.
 */
#include "newproc.h"

#include "topo.h"

#include "env.h"
#include "fork.h"
#include "forkq.h"
#include "gfree.h"
#include "globrunq.h"
#include "gstatus.h"
#include "join.h"
#include "lockthread.h"
#include "p.h"
#include "runq.h"
#include "stack.h"
#include "switch.h"
#include "throw.h"

#include <errno.h>
#include <string.h>

/* What main is used to. Pages that it does not touch cost nothing. */
enum { MAIN_STACK = 8 << 20 };

/* ---- birth ---------------------------------------------------------------------------------- */

static always_inline uint64_t goid_next(struct p *pp)
{
    if (unlikely(pp->goidleft == 0)) {
        /* Ids only have to differ: nothing is ordered by them. */
        pp->goid = add_relaxed(&sched.goidgen, GOID_BATCH);
        pp->goidleft = GOID_BATCH;
    }
    pp->goidleft--;
    return ++pp->goid;
}

static always_inline void g_fill(struct quoit_g *gp, uint64_t id, quoit_fn fn, void *arg,
                                 uint8_t flags, uint8_t class, const void *site)
{
    /* hint: who has just taken one that lay behind its last life may still look there (runq.h) */
    store_relaxed(&gp->born, site);
    gp->stk = NULL;
    gp->id = id;
    gp->fn = fn;
    gp->arg = arg;
    gp->flags = flags;
    gp->class = class;
}

/* Its state is the last thing that changes: from then on it may be taken. */
static always_inline void forkq_add(struct m *mp, struct quoit_g *gp)
{
    gstatus_set(gp, Gdead, Grunnable);
    if (unlikely(!forkq_put(&mp->p->forkq, gp)))
        forkq_spill(mp->p, gp);
    wakep(mp);
}

static always_inline int plain_born(struct m *mp, struct quoit_g *gp, quoit_fn fn, void *arg,
                                    const void *site)
{
    g_fill(gp, goid_next(mp->p), fn, arg, 0, stack_default_class, site);
    count_add(&mp->p->count.spawned, 1);
    forkq_add(mp, gp);
    return 0;
}

static cold int newproc_plain_slow(struct m *mp, quoit_fn fn, void *arg, const void *site)
{
    struct quoit_g *gp = gfget_slow(mp->p);

    return gp != NULL ? plain_born(mp, gp, fn, arg, site) : -ENOMEM;
}

/* The slow path is a tail call: no argument has to be kept over it. */
int newproc_plain(struct m *mp, quoit_fn fn, void *arg, const void *site)
{
    struct quoit_g *gp = gfget_quick(mp->p);

    if (unlikely(gp == NULL))
        return newproc_plain_slow(mp, fn, arg, site);
    return plain_born(mp, gp, fn, arg, site);
}

struct quoit_g *newproc_main(struct m *mp, quoit_fn fn, void *arg)
{
    struct quoit_g *gp = gfget(mp->p);
    int class = stack_class(MAIN_STACK);

    if (gp == NULL)
        return NULL;
    /* Under a limit most of it is for the others. */
    while (env.stack_limit != 0 && class > 0 && stack_class_bytes(class) > env.stack_limit / 4)
        class--;
    if (class < stack_default_class)
        class = stack_default_class;
    g_fill(gp, goid_next(mp->p), fn, arg, G_MAIN, (uint8_t)class, NULL);
    count_add(&mp->p->count.spawned, 1);
    gstatus_set(gp, Gdead, Grunnable);
    return gp;
}

struct quoit_g *newproc_unborn(struct m *mp, quoit_fn fn, void *arg, const void *site)
{
    struct quoit_g *gp = gfget(mp->p);

    if (gp != NULL)
        g_fill(gp, goid_next(mp->p), fn, arg, 0, stack_default_class, site);
    return gp;
}

int newproc_copy(struct m *mp, quoit_fn fn, const void *arg, size_t len, const void *site)
{
    struct quoit_g *gp = gfget(mp->p);

    if (unlikely(gp == NULL))
        return -ENOMEM;
    g_fill(gp, goid_next(mp->p), fn, NULL, G_COPY, stack_default_class, site);
    if (len > 0)
        memcpy(gp->copy, arg, len);
    count_add(&mp->p->count.spawned, 1);
    forkq_add(mp, gp);
    return 0;
}

/* What attributes ask for, checked: flags and class. */
static always_inline int attr_read(const struct quoit_attr *attr, uint8_t *flags, int *class)
{
    *flags = 0;
    *class = stack_default_class;
    if (unlikely(attr->size != sizeof *attr || attr->flags != 0))
        return -EINVAL;
    if (attr->handle != NULL)
        *flags |= G_JOINABLE;
    if (attr->name != NULL)
        *flags |= G_NAMED;
    if (unlikely(attr->stack_size != 0)) {
        *flags |= G_BIG;
        *class = stack_class(attr->stack_size);
        if (*class < 0)
            return -EINVAL;
        if (env.stack_limit != 0 && stack_class_bytes(*class) > env.stack_limit)
            return -ENOMEM;
    }
    if (unlikely(attr->node != QUOIT_NODE_ANY)) {
        if (attr->node < 0 || (uint32_t)attr->node >= sched.nnodes)
            return -EINVAL;
        *flags |= G_BIG;
    }
    return 0;
}

static always_inline void attr_store(struct quoit_g *gp, const struct quoit_attr *attr)
{
    if (attr->name != NULL) {
        strncpy(gp->name, attr->name, GNAME_MAX - 1);
        gp->name[GNAME_MAX - 1] = '\0';
    }
    if (attr->handle != NULL) {
        gp->join = JOIN_NONE;
        gp->waits = 0;
        gp->limits = 0;
        *attr->handle = gp;
    }
}

int newproc_attr(struct m *mp, const struct quoit_attr *attr, quoit_fn fn, void *arg,
                 const void *site)
{
    struct quoit_g *gp;
    uint8_t flags;
    int class, e = attr_read(attr, &flags, &class);

    if (unlikely(e < 0))
        return e;
    if (unlikely(attr->node != QUOIT_NODE_ANY && attr->node != mp->p->place.node))
        return newproc_shared(&sched.nodes[attr->node], attr, fn, arg, 0, site);
    gp = gfget(mp->p);
    if (unlikely(gp == NULL))
        return -ENOMEM;
    g_fill(gp, goid_next(mp->p), fn, arg, flags, (uint8_t)class, site);
    attr_store(gp, attr);
    count_add(&mp->p->count.spawned, 1);
    forkq_add(mp, gp);
    return 0;
}

int newproc_shared(struct node *np, const struct quoit_attr *attr, quoit_fn fn, void *arg,
                   size_t copylen, const void *site)
{
    struct quoit_g *gp;
    uint8_t flags = 0;
    int class = stack_default_class, e = attr != NULL ? attr_read(attr, &flags, &class) : 0;

    if (e < 0)
        return e;
    if (attr != NULL && attr->node != QUOIT_NODE_ANY)
        np = &sched.nodes[attr->node];
    gp = gfget_shared(np);
    if (gp == NULL)
        return -ENOMEM;
    /* One id of a batch: the rest of it is never used. */
    g_fill(gp, add_relaxed(&sched.goidgen, GOID_BATCH) + 1, fn, arg, flags, (uint8_t)class,
           site);
    if (attr != NULL)
        attr_store(gp, attr);
    if (copylen > 0) {
        gp->flags |= G_COPY;
        memcpy(gp->copy, arg, copylen);
    }
    add_relaxed(&sched.foreign_spawned, 1);
    gstatus_set(gp, Gdead, Grunnable);
    globrunqput(np, gp);
    wakep(NULL);
    return 0;
}

/* Whoever reads a dump knows it by the name of its thread. */
struct quoit_g *newproc_attached(struct node *np, const void *site)
{
    struct quoit_g *gp = gfget_shared(np);

    if (gp == NULL)
        return NULL;
    g_fill(gp, add_relaxed(&sched.goidgen, GOID_BATCH) + 1, NULL, NULL, G_NAMED,
           stack_default_class, site);
    gp->site = site;
    gp->limits = 0;
    if (pthread_getname_np(pthread_self(), gp->name, GNAME_MAX) != 0)
        gp->name[0] = '\0';
    add_relaxed(&sched.foreign_spawned, 1);
    return gp;
}

/* ---- life ----------------------------------------------------------------------------------- */

/* The copied argument moves from the record to the stack, where it lives until fn returns. */
static noinline int run_copy(struct quoit_g *gp)
{
    char copy[QUOIT_ARG_MAX] __attribute__((aligned(16)));

    memcpy(copy, gp->copy, sizeof copy);
    gp->arg = copy;
    gp->site = gp->born;
    gp->limits = 0;
    gp->held = 0;
    /* hint: who stops the world may look who runs */
    store_relaxed(&gp->flags, gp->flags & (uint8_t)~G_COPY);
    leave(m_get());
    return gp->fn(copy);
}

static always_inline int run_body(struct m *mp, struct quoit_g *gp)
{
    if (unlikely(gp->flags & G_COPY))
        return run_copy(gp);
    leave(mp);
    return gp->fn(gp->arg);
}

void goroutine_main(void *arg)
{
    struct m *mp = arg;
    struct quoit_g *gp = mp->curg;

    sanitize_arrive(&gp->stk->san);
    finish_switch(mp);
    for (;;) {
        int result = run_body(mp, gp);

        mp = enter();
        if (unlikely(mp == NULL))
            child_returned();
        gp = goexit0(mp, result, true);
    }
}

/* ---- death ---------------------------------------------------------------------------------- */

static cold void main_ended(int result)
{
    sched.mainresult = result;
    stop_begin();
}

/* Whoever waits for the end of gp learns of it; the record goes where it belongs. */
static always_inline void g_ended(struct m *mp, struct quoit_g *gp, int result)
{
    struct quoit_g *joiner;

    count_add(&mp->p->count.ended, 1);
    if (likely(!(gp->flags & G_JOINABLE))) {
        gstatus_set(gp, Grunning, Gdead);
        if (unlikely(gp->flags & G_MAIN))
            main_ended(result);
        gfput(mp->p, gp);
        return;
    }
    gp->result = result;
    gstatus_set(gp, Grunning, Gdead);
    /* order JOIN out: the result is there before the end is told; in: join_until, release */
    joiner = xchg_acq_rel(&gp->join, JOIN_DONE);
    if (joiner == JOIN_RELEASED)
        gfput(mp->p, gp);
    else if (joiner != JOIN_NONE)
        join_wake(mp, joiner);
}

struct quoit_g *goexit0(struct m *mp, int result, bool at_bottom)
{
    struct quoit_g *gp = mp->curg, *next;
    struct stack *stk = gp->stk;

    if (unlikely(!may_end(mp)))
        pinned_end(mp);
    if (unlikely(stk->guard == GUARD_WORDS))
        stack_check(stk);
    if (unlikely(gp->flags & G_LOCKED))
        locked_ended(mp, gp);
    g_ended(mp, gp, result);
    next = unlikely(load_relaxed(&sched.stopping)) ? NULL : pick(mp, false);
    if (likely(next != NULL && next->stk == NULL && at_bottom && next->class == stk->class)) {
        /* The warm stack passes on. */
        sanitize_stack_reuse(&stk->san, stk->low, stack_usable(stk));
        set_started(mp, next, stk);
        return next;
    }
    mp->dead = stk;
    mp->after = AFTER_DEAD;
    mp->prev = NULL;
    if (next != NULL) {
        if (switch_into(&mp, &mp->scratch, &stk->san, next, true))
            throw("goexit0: a dead goroutine was resumed");
        not_here(mp, next);
    }
    sanitize_leave(&stk->san, &mp->g0stack, true);
    set_nobody(mp);
    context_switch(&mp->scratch, &mp->g0, mp);
    throw("goexit0: a dead goroutine was resumed");
}

void goexit1(struct m *mp, int result)
{
    struct quoit_g *gp = mp->curg;

    if (mp->foreign)
        throw("quoit_goexit: called by a thread that was attached; it leaves with quoit_detach");
    if (gp->flags & G_INPLACE) {
        const struct context *joiner = &gp->host->ctx;

        /* Back to the joiner's frame below, as if fn had returned. */
        sanitize_cut();
        inplace_ended(mp, gp);
        context_switch(&mp->scratch, joiner, (void *)(intptr_t)result);
    }
    goexit0(mp, result, false);
    throw("goexit1: a dead goroutine was resumed");
}
