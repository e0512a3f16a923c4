/* SPDX-License-Identifier: BSD-3-Clause
 * api.c - the public functions about goroutines, thin: arguments are checked here and nowhere else
 *
 * Those of mutex, semaphore and wait group stand with their words; start and end in init.c.
 */
#include "block.h"
#include "deferfree.h"
#include "dump.h"
#include "init.h"
#include "join.h"
#include "m.h"
#include "newproc.h"
#include "proc.h"
#include "quiesce.h"
#include "stack.h"
#include "switch.h"
#include "throw.h"
#include "timer.h"

#include <errno.h>
#include <string.h>

const char *quoit_version(void)
{
    return QUOIT_VERSION;
}

/* ---- birth and death ------------------------------------------------------------------------ */

static cold int go_foreign(const struct quoit_attr *attr, quoit_fn fn, void *arg, size_t copylen,
                           const void *site)
{
    int e;

    if (!foreign_enter())
        return -ESHUTDOWN;
    e = newproc_shared(&sched.nodes[0], attr, fn, arg, copylen, site);
    foreign_leave();
    return e;
}

int quoit_go(quoit_fn fn, void *arg)
{
    struct m *mp = enter();
    int e = -EINVAL;

    if (unlikely(mp == NULL))
        return fn != NULL ? go_foreign(NULL, fn, arg, 0, CALLER) : -EINVAL;
    if (likely(fn != NULL))
        e = newproc_plain(mp, fn, arg, CALLER);
    leave(mp);
    return e;
}

int quoit_go_copy(quoit_fn fn, const void *arg, size_t len)
{
    struct m *mp = enter();
    int e;

    if (fn == NULL || (arg == NULL && len > 0))
        e = -EINVAL;
    else if (len > QUOIT_ARG_MAX)
        e = -E2BIG;
    else if (mp == NULL)
        e = go_foreign(NULL, fn, len > 0 ? (void *)arg : NULL, len, CALLER);
    else
        e = newproc_copy(mp, fn, arg, len, CALLER);
    if (mp != NULL)
        leave(mp);
    return e;
}

int quoit_go_attr(const struct quoit_attr *attr, quoit_fn fn, void *arg)
{
    struct m *mp = enter();
    int e = -EINVAL;

    if (unlikely(mp == NULL))
        return fn != NULL && attr != NULL ? go_foreign(attr, fn, arg, 0, CALLER) : -EINVAL;
    if (likely(fn != NULL && attr != NULL))
        e = newproc_attr(mp, attr, fn, arg, CALLER);
    leave(mp);
    return e;
}

int quoit_join(struct quoit_g *g, int *result)
{
    struct m *mp = enter_g(__func__);
    int e = g != NULL ? -EDEADLK : -EINVAL, r;

    if (likely(g != NULL && g != mp->curg))
        e = join(&mp, g, &r);
    if (e == 0 && result != NULL)
        *result = r;
    leave(mp);
    return e;
}

void quoit_release(struct quoit_g *g)
{
    struct m *mp;

    if (g == NULL)
        return;
    mp = enter();
    if (mp != NULL) {
        release(mp, g);
        leave(mp);
    } else if (foreign_enter()) {
        release(NULL, g);
        foreign_leave();
    }
}

void quoit_goexit(int result)
{
    goexit1(enter_g(__func__), result);
}

/* ---- waiting -------------------------------------------------------------------------------- */

void quoit_ready(struct quoit_g *g)
{
    struct m *mp = enter();

    if (unlikely(mp == NULL)) {
        if (!foreign_enter())
            return;
        if (load_relaxed(&g->flags) & G_TIMED)
            timed_wake(NULL, (struct timed *)g->waits);
        else
            ready(NULL, g);
        foreign_leave();
        return;
    }
    if (unlikely(g == mp->curg))
        throw("quoit_ready: the goroutine readies itself, and runs");
    if (unlikely(load_relaxed(&g->flags) & G_TIMED))
        timed_wake(mp, (struct timed *)g->waits);
    else
        ready(mp, g);
    leave(mp);
}

/* ---- who and how many ----------------------------------------------------------------------- */

struct quoit_g *quoit_self(void)
{
    struct m *mp = m_get();

    return mp != NULL ? mp->curg : NULL;
}

uint64_t quoit_goid(void)
{
    struct quoit_g *gp = quoit_self();

    return gp != NULL ? gp->id : 0;
}

size_t quoit_stack_used(size_t *size)
{
    struct quoit_g *gp = quoit_self();

    if (gp == NULL)
        return 0;
    if (size != NULL)
        *size = stack_usable(gp->stk);
    return stack_touched(gp->stk);
}

int num_goroutine(void)
{
    uint64_t ended = 0, spawned;

    /* hint: the ended ones first, so that a sum over moving numbers is never below zero, and 0
     * only if there was a moment without any */
    for (uint32_t i = 0; i < nallp(); i++)
        ended += load_relaxed(&sched.allp[i]->count.ended);
    /* order DRAIN full: whoever's end was counted has its birth counted too; in: m_sleep */
    fence_full();
    spawned = load_relaxed(&sched.foreign_spawned);
    for (uint32_t i = 0; i < nallp(); i++)
        spawned += load_relaxed(&sched.allp[i]->count.spawned);
    return (int)(spawned - ended);
}

/* The state may be read from any thread: then Quoit must not go away meanwhile. */
static bool look_begin(void)
{
    return m_get() != NULL || foreign_enter();
}

static void look_end(void)
{
    if (m_get() == NULL)
        foreign_leave();
}

int quoit_num_goroutine(void)
{
    int n = 0;

    if (look_begin()) {
        n = num_goroutine();
        look_end();
    }
    return n;
}

int quoit_num_thread(void)
{
    /* hint: of no particular moment */
    return (int)load_relaxed(&sched.nm);
}

int quoit_set_max_threads(int n)
{
    int old = 0;

    if (!look_begin())
        return 0;
    lock(&sched.lock);
    old = (int)sched.maxm;
    if (n >= 1)
        sched.maxm = (uint32_t)n;
    unlock(&sched.lock);
    look_end();
    return old;
}

int quoit_dump(int fd)
{
    enum dump_which which =
        env_traceback(TRACEBACK_ALL) >= TRACEBACK_SYSTEM ? DUMP_EVERY : DUMP_USER;
    int e;

    if (!look_begin())
        return -ESHUTDOWN;
    e = dump_all(fd, which, CALLER);
    look_end();
    return e;
}

static void stats_fill(struct quoit_stats *st)
{
    struct stack_numbers stacks;
    struct poll_numbers polls;

    st->procs = load_relaxed(&sched.nprocs);
    st->retakes = load_relaxed(&sched.retakes);
    st->handoffs = load_relaxed(&sched.handoffs);
    st->world_stops = load_relaxed(&sched.stops);
    st->threads = load_relaxed(&sched.nm);
    st->threads_idle = load_relaxed(&sched.nmidle);
    st->threads_lost = load_relaxed(&sched.nlost);
    st->block_jobs = (uint64_t)block_count();
    st->spawned = load_relaxed(&sched.foreign_spawned);
    for (uint32_t i = 0; i < nallp(); i++) {
        const struct p *pp = sched.allp[i];
        const struct pcount *c = &pp->count;

        /* hint: sums of moving numbers */
        st->spawned += load_relaxed(&c->spawned);
        st->inplace += load_relaxed(&c->inplace);
        st->switches += load_relaxed(&pp->schedtick);
        st->parked += load_relaxed(&c->parked);
        st->global += load_relaxed(&c->global);
        st->steals += load_relaxed(&c->steals);
        st->steals_far += load_relaxed(&c->steals_far);
        st->wakes += load_relaxed(&c->wakes);
        for (int k = 0; k < RUNGS; k++)
            st->preempts[k] += load_relaxed(&c->preempts[k]);
    }
    st->hogs = load_relaxed(&sched.nhogs);
    for (const struct m *mp = allm_first(); mp != NULL; mp = mp->alllink)
        st->signals += load_relaxed(&mp->signals);
    st->trimmed = load_relaxed(&sched.trimmed);
    st->follows = load_relaxed(&sched.follows);
    stack_numbers(&stacks);
    st->stacks_live = stacks.live;
    st->stacks_cached = stacks.cached;
    st->stacks_bare = stacks.bare;
    st->graces = graces();
    st->deferred = deferred_count();
    netpoll_count(&polls);
    st->ring_enters = polls.ring_enters;
    st->ring_ops = polls.ring_ops;
    st->helper_ops = polls.helper_ops;
    st->inline_ops = polls.inline_ops;
    st->fixed_ops = polls.fixed_ops;
    st->fixed_refusals = polls.fixed_refusals;
}

int quoit_stats(struct quoit_stats *stats)
{
    struct quoit_stats all = { 0 };
    uint32_t size = stats->size;

    if (size < 2 * sizeof(uint32_t))
        return -EINVAL;
    if (look_begin()) {
        stats_fill(&all);
        look_end();
    }
    all.size = size;
    memset(stats, 0, size);
    memcpy(stats, &all, size < sizeof all ? size : sizeof all);
    return 0;
}
