/* SPDX-License-Identifier: BSD-3-Clause
 * foreign.c - threads that are not ours: attached, they are goroutines on an M of their own
 *
 * quoit_attach makes an M of the calling thread and a goroutine of what runs there. The goroutine
 * is locked to the M, its stack is the thread's own, and the M's g0 runs on a stack from the pool:
 * the other way round than on our threads, and nothing else is different. So it may call whatever a
 * goroutine may: when it parks, g0 gives the P away and sleeps in locked_turn, and who picks the
 * goroutine gives it a P back.
 *
 *     the thread's own stack                g0's stack
 *     quoit_attach: all is made             g0_main: the goroutine is ready; if there was an idle
 *                                           P it runs at once, else it waits in the shared queue
 *     ... the goroutine runs                schedule, each time it parks
 *     quoit_detach: the goroutine is dead   schedule gives the P away and returns; g0_main leaves
 *     the M's record goes back              its stack for good
 *
 * Free records of M's wait on sched.freem, whoever had them.
 *
 * When Quoit ends under an attached thread, its M stays until the thread comes in: at its next
 * entry that takes all down, and the call goes on as in any plain thread. One that sleeps in here
 * is taken down by its own g0 and then sleeps for ever, below the frames that wait.
 */
#include "foreign.h"

#include "globrunq.h"
#include "gfree.h"
#include "gstatus.h"
#include "init.h"
#include "lockthread.h"
#include "m.h"
#include "newproc.h"
#include "p.h"
#include "proc.h"
#include "profile.h"
#include "stack.h"
#include "switch.h"
#include "throw.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

/* Between the frames of a parked stack and what is put below them; and from the end of a thread's
 * stack to what counts as its start. */
enum { GAP = 256 };

struct foreign {
    struct m *mp;
    struct quoit_g *gp;
    struct stack stk;    /* the thread's own */
    struct stack *g0;    /* from the pool */
    struct context back; /* the thread, when it has left the goroutine and waits for g0's end */
    enum { COMING, HERE, GOING } state;
};

/* Its value is set in threads that are attached, or were when Quoit ended. */
static pthread_key_t key;
static bool key_made;

static struct foreign *of(const struct m *mp)
{
    return container_of(mp->curg->stk, struct foreign, stk);
}

/* ---- on g0 ---------------------------------------------------------------------------------- */

static void first_turn(struct foreign *f)
{
    struct m *mp = f->mp;

    gstatus_set(f->gp, Gdead, Grunnable);
    if (mp->p == NULL) {
        globrunqput(mp->lastp->node, f->gp);
        wakep(NULL);
    } else if (!switch_from_g0(mp, f->gp)) {
        throw("quoit_attach: the goroutine is locked to another thread");
    }
}

static void sleeps_for_ever(void *arg);

/* g0 is left for good, the thread goes on at *to. */
static noreturn_fn void leave_g0(struct foreign *f, const struct context *to)
{
    sanitize_leave(&f->mp->g0stack, &f->stk.san, true);
    context_switch(&f->mp->scratch, to, NULL);
    throw("g0_main: the stack of a detached thread was resumed");
}

/* The goroutine sleeps. Below its frames there is room. */
static noreturn_fn void put_to_sleep(struct foreign *f)
{
    uintptr_t top = ((uintptr_t)f->gp->ctx.sp - GAP) & ~(uintptr_t)15;

    sanitize_leave(&f->mp->g0stack, &f->stk.san, true);
    context_begin(&f->mp->scratch, (void *)top, sleeps_for_ever, f);
    throw("g0_main: the stack of an abandoned thread was resumed");
}

static void g0_main(void *arg)
{
    struct foreign *f = arg;

    sanitize_arrive(&f->mp->g0stack);
    first_turn(f);
    schedule(f->mp);
    if (f->state == HERE)
        put_to_sleep(f);
    leave_g0(f, f->state == COMING ? &f->gp->ctx : &f->back);
}

/* ---- the end -------------------------------------------------------------------------------- */

/* From its goroutine to g0, which comes to its end. */
static void end_g0(struct foreign *f)
{
    struct m *mp = f->mp;

    f->state = GOING;
    set_nobody(mp);
    mp->lockedg = NULL;
    mp->leaving = true;
    mp->after = AFTER_NOTHING;
    sanitize_leave(&f->stk.san, &mp->g0stack, false);
    context_switch(&f->back, &mp->g0, mp);
    sanitize_arrive(&f->stk.san);
}

/* On the thread's own stack, when g0 is no more. Of a run that ends nothing may be touched once
 * the M is gone. */
static void take_down(struct foreign *f)
{
    struct m *mp = f->mp;

    profile_m_ends(mp);
    m_close(mp);
    mp->lockedg = NULL;
    tls_set(NULL);
    stack_put_shared(f->g0);
    free(f);
    add_relaxed(&sched.nforeign, -1u);
    if (!load_relaxed(&sched.stopping))
        m_drop(mp);
    note_wake(&mp->gone);
}

/* Until it is cancelled: the frames above are not returned to. */
static noreturn_fn void sleep_for_ever(void)
{
    sanitize_cut();
    for (;;)
        pause();
}

static void sleeps_for_ever(void *arg)
{
    struct foreign *f = arg;

    sanitize_arrive(&f->stk.san);
    take_down(f);
    sleep_for_ever();
}

struct m *foreign_abandoned(struct m *mp)
{
    struct foreign *f = of(mp);

    end_g0(f);
    take_down(f);
    return NULL;
}

static void detach(struct m *mp)
{
    struct foreign *f = of(mp);

    if (unlikely(!may_end(mp)))
        pinned_end(mp);
    unlock_thread(mp, f->gp);
    count_add(&mp->p->count.ended, 1);
    gstatus_set(f->gp, Grunning, Gdead);
    gfput(mp->p, f->gp);
    /* order DRAIN full: the end is counted before draining is looked at; in: drain */
    fence_full();
    if (load_relaxed(&sched.draining))
        note_wake(&sched.drained);
    end_g0(f);
    take_down(f);
}

/* ---- the beginning -------------------------------------------------------------------------- */

static int own_stack(struct stack *s)
{
    pthread_attr_t attr;
    void *low;
    size_t bytes;
    int e = pthread_getattr_np(pthread_self(), &attr);

    if (e != 0)
        return -e;
    e = pthread_attr_getstack(&attr, &low, &bytes);
    pthread_attr_destroy(&attr);
    if (e != 0)
        return -e;
    s->low = low;
    s->start = (char *)low + bytes - GAP;
    s->class = stack_default_class;
    s->guard = GUARD_OTHERS;
    sanitize_stack_self(&s->san);
    return 0;
}

/* Handlers of the program's signals may run on it, so not less than what is usual. */
static int g0_class(void)
{
    return stack_default_class > STACK_CLASS_64K ? stack_default_class : STACK_CLASS_64K;
}

/* All or nothing; 0 or -errno. */
static int make(struct foreign *f, const void *site)
{
    int e = own_stack(&f->stk);

    if (e < 0)
        return e;
    f->g0 = stack_get_shared(&sched.nodes[0], g0_class());
    if (f->g0 == NULL)
        return -ENOMEM;
    e = m_new(&f->mp);
    if (e < 0) {
        stack_put_shared(f->g0);
        return e == -ECANCELED ? -ESHUTDOWN : e;
    }
    f->gp = newproc_attached(&sched.nodes[0], site);
    if (f->gp != NULL)
        return 0;
    m_drop(f->mp);
    stack_put_shared(f->g0);
    return -ENOMEM;
}

static struct p *idle_p(struct m *mp)
{
    struct p *pp = NULL;

    if (mp->lastp == NULL)
        mp->lastp = sched.allp[0];
    lock(&sched.lock);
    if (!load_relaxed(&sched.gcwaiting))
        pp = pidleget_locked(mp->lastp);
    unlock(&sched.lock);
    return pp;
}

static void become_m(struct foreign *f)
{
    struct m *mp = f->mp;
    struct p *pp;

    note_clear(&mp->gone);
    lock(&mp->lock);
    mp->foreign = true;
    mp->joined = false;
    unlock(&mp->lock);
    /* hint: others look at its clock */
    store_relaxed(&mp->tid, os_gettid());
    tls_set(mp);
    m_open(mp);
    profile_m_begins(mp);
    f->gp->stk = &f->stk;
    lock_thread(mp, f->gp);
    pp = idle_p(mp);
    if (pp != NULL)
        acquirep(mp, pp);
}

/* Returns as a goroutine. */
static int start(struct foreign *f)
{
    struct m *mp;

    add_relaxed(&sched.nforeign, 1);
    become_m(f);
    sanitize_stack_reuse(&f->g0->san, f->g0->low, stack_usable(f->g0));
    f->mp->g0stack = f->g0->san;
    sanitize_leave(&f->stk.san, &f->mp->g0stack, false);
    mp = context_begin(&f->gp->ctx, f->g0->start, g0_main, f);
    sanitize_arrive(&f->stk.san);
    if (mp == NULL) {
        take_down(f);
        return -ESHUTDOWN;
    }
    f->state = HERE;
    finish_switch(mp);
    leave(mp);
    return 0;
}

static int attach(const void *site)
{
    struct foreign *f = calloc(1, sizeof *f);
    int e;

    if (f == NULL)
        return -ENOMEM;
    e = -pthread_setspecific(key, f);
    if (e == 0)
        e = make(f, site);
    if (e < 0)
        free(f);
    else
        e = start(f);
    if (e < 0)
        pthread_setspecific(key, NULL);
    return e;
}

/* ---- threads that end, and other plain ones ------------------------------------------------- */

/* It was cancelled in a marked call, perhaps. */
static void thread_ends(void *arg unused_arg)
{
    struct m *mp = m_get();

    if (mp != NULL && load_relaxed(&mp->curg->status) == Gsyscall)
        quoit_syscall_exit();
    mp = enter();
    if (mp != NULL)
        detach(mp);
}

int foreign_init(void)
{
    int e = 0;

    if (!key_made)
        e = pthread_key_create(&key, thread_ends);
    key_made = e == 0;
    return -e;
}

/* The library may be unloaded before the last thread ends. */
__attribute__((destructor)) static void forget_key(void)
{
    if (key_made)
        pthread_key_delete(key);
}

void foreign_after_fork_child(void)
{
    pthread_setspecific(key, NULL);
}

noreturn_fn cold void no_goroutine(const char *who)
{
    /* It was one, and has been abandoned as all others were. */
    if (key_made && pthread_getspecific(key) != NULL)
        sleep_for_ever();
    throw("%s: called by a thread that is no goroutine", who);
}

/* ---- public --------------------------------------------------------------------------------- */

int quoit_attach(void)
{
    int saved = errno, e = -ESHUTDOWN;

    if (m_get() != NULL)
        return -EALREADY;
    if (foreign_enter()) {
        e = attach(CALLER);
        foreign_leave();
    }
    errno = saved;
    return e;
}

void quoit_detach(void)
{
    int saved = errno;
    struct m *mp = enter();

    if ((mp != NULL && !mp->foreign) ||
        (mp == NULL && !(key_made && pthread_getspecific(key) != NULL)))
        throw("quoit_detach: the calling thread is not attached (quoit_attach)");
    pthread_setspecific(key, NULL);
    if (mp != NULL)
        detach(mp);
    errno = saved;
}
