/* SPDX-License-Identifier: BSD-3-Clause
 * rungs.c - code that computes is made to give way in its middle, where that is safe
 *
 * Who has computed for a quantum while others wait is called to the door (retake.c): WANT_YIELD is
 * set, and the next call of Quoit gives way. What is here makes code that calls nothing of Quoit
 * come to the door too, in two ways:
 *
 *     rung 1   the guard word of its thread is set, so that the next function compiled with
 *              -fsplit-stack enters Quoit in its prologue (entered)
 *     rung 2   the handler of SIGURG puts a call into the interrupted code itself (injected)
 *
 *     who asks: m_call, rungs_ask   the M's thread: handler         the goroutine
 *     1. what is wanted of the M      1. still called, the M          1. entered, injected:
 *     2. arms the M's timer              outside, nothing pinned?        the same again
 *                                     2. the guard word               2. enter: what is
 *                                     3. the pc in code with the         wanted, if it still
 *                                        check, the whole stack          is
 *                                        ours: injects
 *
 * What is wanted (m->want) alone decides. So a signal or a guard word that comes too late, to
 * another goroutine say, costs a look and does no harm; and the word needs no store at a switch.
 * Nothing of it is an edge: handler and goroutine are one thread, and what others tell it is in
 * m->want, under m->lock.
 *
 * The timer fires some times in half a quantum, for a signal may come in where nothing can be done
 * (in memcpy, say), and stops itself. Its thread is asleep hardly ever: who asks has looked. A hog
 * has no turn any more, and is made to come in and wait for a P like the others.
 *
 * The handler also holds who does not come in while the world is stopped (hold.c).
 *
 * A call is put in only by a handler on a signal stack: one that runs on the goroutine's own
 * stands where the call's frame would be.
 *
 * Where no timer is to be had a plain signal is sent, once; where that is refused too, or blocked,
 * the goroutine goes on to rung 3.
 *
 * Turned down: the bound of the goroutine's stack in the guard word, which would find an overflow
 * before the guard page does: another line of cache to be read at each switch.
 */
#include "rungs.h"

#include "object.h"
#include "preempt.h"
#include "prologue.h"
#include "signal_arch.h"

#include "caught.h"
#include "env.h"
#include "hold.h"
#include "os_linux.h"
#include "proc.h"
#include "stack.h"
#include "stackscan.h"
#include "syscall.h"
#include "throw.h"

#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* What the door takes of a stack: its frames, and those of a switch. */
enum { DOOR_BYTES = 4096, TRIES = 8 };

static signal_fn handler;
static struct caught caught = { .sig = SIGURG, .ours = handler };
static bool installed;
/* TSan delivers signals later, somewhere else. */
#ifdef SANITIZE_TSAN
enum { able = 0 };
#else
enum { able = have_guard };
#endif
static int mark; /* its address is that of our timers */

/* ---- where it gives way --------------------------------------------------------------------- */

/* It has not been at the door since it was called. */
static bool is_called(const struct m *mp)
{
    /* hint: who comes to the door looks under the lock */
    return (load_relaxed(&mp->revoked) & ~(uint32_t)FENCE_BIT) != 0;
}

/* The M is the caller's own, and outside. pc and sp: where the goroutine is; nothing of what is
 * above depends on the thread. A thread that is not ours has other people's frames, one that is
 * locked would be moved to and fro for nothing, and others would wait for the locks that it
 * holds. */
static bool may_switch(const struct m *mp, uintptr_t pc, uintptr_t sp)
{
    const struct quoit_g *gp = mp->curg;

    if (gp == NULL || load_relaxed(&mp->inside) != 0 || mp->locks > 0 || mp->foreign)
        return false;
    if (load_relaxed(&gp->status) != Grunning || (load_relaxed(&gp->flags) & G_LOCKED) ||
        gp->stk->nopreempt > 0 || gp->held != 0)
        return false;
    if (sp < (uintptr_t)gp->stk->low + DOOR_BYTES || sp >= (uintptr_t)gp->stk->start)
        return false;
    return stack_is_ours(pc, sp, (uintptr_t)gp->stk->start);
}

/* A function begins whose check has found the guard word set. */
static void entered(uintptr_t pc, uintptr_t sp, size_t frame unused_arg)
{
    struct m *mp = m_get();

    guard_set(0);
    if (mp != NULL && is_called(mp) && may_switch(mp, pc, sp))
        door(mp, RUNG_ASKED);
}

/* The handler has looked, and its thread has done nothing since but run handlers of others; one of
 * them may have forked. */
static void injected(void)
{
    struct m *mp = m_get();

    if (mp != NULL)
        door(mp, RUNG_INJECTED);
}

/* ---- on the thread, in the handler ---------------------------------------------------------- */

static void disarm(const struct m *mp)
{
    struct itimerspec never = { 0 };

    if (mp->has_timer)
        timer_settime(mp->timer, 0, &never, NULL);
}

static bool in_checked_code(uintptr_t pc)
{
    struct object o;
    struct function f;

    return object_find(pc, &o) && object_function(&o, pc, &f) && prologue_checks(&o, &f);
}

/* The signal stack may be the program's own, or missing. */
static bool on_stack_of(const struct quoit_g *gp, const void *at)
{
    return (const char *)at >= (const char *)gp->stk->low && (const char *)at < gp->stk->start;
}

static bool inject(const struct m *mp, void *context)
{
    uintptr_t pc = signal_pc(context);

    return !on_stack_of(mp->curg, context) && in_checked_code(pc) &&
           may_switch(mp, pc, signal_sp(context)) &&
           preempt_inject(context, (uintptr_t)mp->curg->stk->low + DOOR_BYTES, injected);
}

static void look(struct m *mp, void *context)
{
    store_relaxed(&mp->signals, mp->signals + 1);
    store_relaxed(&mp->tries, mp->tries + 1);
    if (load_relaxed(&mp->inside) == 0 && mp->curg != NULL && hold_here(mp, context))
        return;
    if (!is_called(mp) || mp->tries > TRIES) {
        disarm(mp);
        return;
    }
    if (load_relaxed(&mp->inside) != 0 || mp->curg == NULL)
        return;
    guard_set(GUARD_PREEMPT);
    if (inject(mp, context))
        disarm(mp);
}

/* A process that may have no more signals waiting gets them without a word of whom they are from.
 */
static bool may_be_sent(const siginfo_t *info)
{
    return info->si_code == SI_TKILL || (info->si_code == SI_USER && info->si_pid == 0);
}

static void handler(int sig unused_arg, siginfo_t *info, void *context)
{
    bool ours = info->si_code == SI_TIMER && info->si_value.sival_ptr == &mark;
    struct m *mp = m_get();
    int e = errno;

    if (mp != NULL && (ours || may_be_sent(info)))
        look(mp, context);
    if (!ours)
        (void)caught_pass_on(&caught, info, context);
    errno = e;
}

/* ---- asking --------------------------------------------------------------------------------- */

/* False: there are as many timers as the process may have. */
static bool make_timer_locked(struct m *mp)
{
    struct sigevent ev = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGURG,
                           .sigev_value.sival_ptr = &mark };

    ev._sigev_un._tid = mp->tid;
    if (!mp->has_timer)
        mp->has_timer = timer_create(CLOCK_MONOTONIC, &ev, &mp->timer) == 0;
    return mp->has_timer;
}

static void send_locked(struct m *mp)
{
    struct itimerspec soon = { .it_value.tv_nsec = 1 };

    soon.it_interval.tv_nsec = env.quantum / 2 / TRIES;
    if (!make_timer_locked(mp) || timer_settime(mp->timer, 0, &soon, NULL) != 0)
        syscall(SYS_tgkill, getpid(), mp->tid, SIGURG);
}

void rungs_ask(struct m *mp)
{
    lock(&mp->lock);
    /* hint: one more or less. A hog is asked again and again */
    store_relaxed(&mp->tries, mp->hog ? TRIES - 1 : 0);
    if (mp->guard != NULL && installed)
        send_locked(mp);
    else if (mp->guard != NULL)
        guard_poke(mp->guard, GUARD_PREEMPT);
    unlock(&mp->lock);
}

void rungs_poke(struct m *mp)
{
    if (able && installed)
        syscall(SYS_tgkill, getpid(), load_relaxed(&mp->tid), SIGURG);
}

void rungs_hurry(struct m *mp, int64_t now)
{
    /* hint: of two who ask at the same time both may */
    if (!able || now - load_relaxed(&mp->hurried) < env.quantum / 2)
        return;
    /* hint: as above */
    store_relaxed(&mp->hurried, now);
    if (runs_outside(mp) && !thread_sleeps(load_relaxed(&mp->tid)))
        rungs_ask(mp);
}

/* ---- threads -------------------------------------------------------------------------------- */

void rungs_thread_begin(struct m *mp)
{
    lock(&mp->lock);
    mp->guard = able ? guard_address() : NULL;
    mp->has_timer = false;
    unlock(&mp->lock);
}

void rungs_thread_end(struct m *mp)
{
    lock(&mp->lock);
    mp->guard = NULL;
    if (mp->has_timer)
        timer_delete(mp->timer);
    mp->has_timer = false;
    unlock(&mp->lock);
    guard_set(0);
}

/* ---- the process ---------------------------------------------------------------------------- */

bool rungs_alone(const struct sigaction *now)
{
    const struct sigaction *found = &caught.found;

    return caught_is_ours(&caught, now) && !(found->sa_flags & SA_SIGINFO) &&
           (found->sa_handler == SIG_DFL || found->sa_handler == SIG_IGN);
}

int rungs_init(void)
{
    int e;

    preempt_init();
    stackscan_init();
    preempt_entered(entered);
    installed = false;
    /* On Valgrind what a signal interrupts is not what the cpu runs. */
    if (env.flags & QUOIT_NO_SIGNALS || godebug(GODEBUG_ASYNC_OFF) || sanitize_valgrind)
        return 0;
    e = caught_install(&caught, SA_RESTART);
    installed = e == 0;
    return e;
}

void rungs_fini(void)
{
    if (installed)
        caught_remove(&caught);
}

/* Timers are the parent's. */
void rungs_after_fork_child(void)
{
    guard_set(0);
    rungs_fini();
}
