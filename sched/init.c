/* SPDX-License-Identifier: BSD-3-Clause
 * init.c - start and end, as a table
 *
 * Each row of `steps` is made in order and undone in the opposite one; a start that fails in
 * the middle undoes what stands. quoit_main makes the calling thread m0 and returns it as it
 * was found; quoit_init leaves it alone. At the end all M's come in at their next look
 * (stop_begin), their threads are waited for, and goroutines that have not ended are abandoned:
 * their stacks go with all the others.
 *
 * A goroutine that computes on without ever calling Quoit keeps its thread. After GRACE_NS in which
 * it ran, or slept, it is left behind with all memory it may use, and until it comes in Quoit
 * cannot be started again (-EBUSY).
 */
#include "init.h"

#include "bind.h"
#include "children.h"
#include "topo.h"

#include "block.h"
#include "copies.h"
#include "deferfree.h"
#include "env.h"
#include "foreign.h"
#include "fork.h"
#include "gfree.h"
#include "gstatus.h"
#include "housekeep.h"
#include "m.h"
#include "newproc.h"
#include "p.h"
#include "proc.h"
#include "profile.h"
#include "quiesce.h"
#include "rungs.h"
#include "sigquit.h"
#include "stack.h"
#include "switch.h"
#include "sysmon.h"
#include "throw.h"
#include "world.h"

#include <errno.h>
#include <signal.h>
#include <string.h>

struct sched sched;

enum { GRACE_NS = 1000000000 };

/* Not in `sched`, which is all zero at each start. */
static enum { OFF, STARTING, ON, ENDING, STRAY } state; /* a  STATE */
static uint32_t shutting;                               /* a  STATE: one is in quoit_shutdown */
static uint32_t foreigners; /* a  STATE: threads that are not ours, at work in here */

/* ---- the table ------------------------------------------------------------------------------ */

static int fence_up(void)
{
    fence_init();
    return 0;
}

static int children_up(void)
{
    sched.bind = env.flags & QUOIT_NO_BIND ? BIND_NONE : env.bind;
    return sched.bind == BIND_NONE ? 0 : children_install();
}

static void children_down(void)
{
    if (sched.bind != BIND_NONE)
        children_remove();
}

static int procs_up(void)
{
    int n = env.procs > 0 ? env.procs : procs_wanted(), e;

    sched.chosen = env.procs > 0;
    e = p_init((uint32_t)n);
    if (e < 0)
        p_fini();
    sched.bind = sched.bind == BIND_NONE ? BIND_NONE : place_mode(sched.bind, n);
    sched.maxm = (uint32_t)env.max_threads;
    return e;
}

static int poller_up(void)
{
    return netpoll_init((int)sched.nprocs);
}

static const struct step {
    int (*up)(void);
    void (*down)(void);
} steps[] = {
    { copies_claim, copies_drop },
    { fence_up, NULL },
    { topo_load, topo_unload },
    { bind_save, bind_forget },
    { children_up, children_down },
    { fork_init, NULL },
    { foreign_init, NULL },
    { procs_up, p_fini },
    { NULL, gfree_fini },
    { stack_init, stack_fini },
    { overflow_init, overflow_fini },
    { block_init, NULL },
    { sigquit_init, sigquit_fini },
    { rungs_init, rungs_fini },
    { poller_up, netpoll_fini },
    { world_init, NULL },
    { quiesce_init, NULL },
    { grace_init, NULL },
    { deferred_init, deferred_fini },
    { housekeep_init, housekeep_stop },
    { sysmon_start, sysmon_stop },
};

static void steps_down(size_t n)
{
    while (n-- > 0)
        if (steps[n].down != NULL)
            steps[n].down();
}

static int steps_up(void)
{
    for (size_t i = 0; i < array_len(steps); i++) {
        int e = steps[i].up != NULL ? steps[i].up() : 0;

        if (e < 0) {
            steps_down(i);
            return e;
        }
    }
    return 0;
}

/* ---- start ---------------------------------------------------------------------------------- */

/* OFF to STARTING; whoever gets there has `sched` to itself. */
static int claim(void)
{
    typeof(state) seen = OFF;

    /* order STATE in: the run before is over; out: end */
    if (cas_acquire(&state, &seen, STARTING))
        return 0;
    /* order STATE in: the run before is over but for its stray M's; out: end */
    if (seen != STRAY || !cas_acquire(&state, &seen, STARTING))
        return -EALREADY;
    if (!m_join_all(0) || !block_end(0) || !netpoll_over()) {
        /* order STATE out: the M's that have come in are joined; in: claim */
        store_release(&state, STRAY);
        return -EBUSY;
    }
    /* The last of those left behind has come in. */
    steps_down(array_len(steps));
    return 0;
}

static int start(const struct quoit_options *options)
{
    uint64_t goidgen;
    int e = claim();

    if (e < 0)
        return e;
    /* No id is used twice in a process. */
    goidgen = sched.goidgen;
    memset(&sched, 0, sizeof sched);
    sched.goidgen = goidgen;
    pthread_sigmask(SIG_SETMASK, NULL, &sched.sigmask);
    e = env_load(options);
    if (e == 0)
        e = steps_up();
    if (e < 0)
        /* order STATE out: all is undone; in: claim */
        store_release(&state, OFF);
    return e;
}

/* ---- end ------------------------------------------------------------------------------------ */

void stop_begin(void)
{
    /* order INSIDE out: what is wanted comes before the call; in: entry_slow */
    store_release(&sched.stopping, 1);
    world_ends();
    m_wake_all();
}

static bool come_in(bool in, const char *what)
{
    if (!in)
        log_line(LOG_WARNING, "%s left behind, and Quoit cannot start again before it has ended",
                 what);
    return in;
}

static bool all_come_in(void)
{
    bool in = come_in(m_join_all(GRACE_NS),
                      load_relaxed(&sched.nforeign) > 0
                          ? "a thread that is attached does not call Quoit: it is"
                          : "a goroutine computes on without calling Quoit: its thread is");

    in &= come_in(block_end(GRACE_NS),
                  "a function given to quoit_block has not returned: its thread is");
    /* Only M's that have come in have closed their pollers. */
    return in && come_in(netpoll_over(), "an operation could not be cancelled: its memory is");
}

/* Every other M leaves, or is left behind. */
static void end(void)
{
    uint32_t spins = 0;
    bool in;

    stop_begin();
    sysmon_stop();

    /* order STATE full: no more threads come in before those inside are counted; in: foreign_enter
     */
    xchg_full(&state, ENDING);
    /* order STATE in: those that were inside are done; out: foreign_leave */
    while (load_acquire(&foreigners) != 0)
        if (++spins > 100)
            os_yield();
    in = all_come_in();
    profile_end();
    if (!in) {
        /* order STATE out: all but the stray M's is over; in: claim */
        store_release(&state, STRAY);
        return;
    }
    steps_down(array_len(steps));
    /* order STATE out: all is undone; in: claim */
    store_release(&state, OFF);
}

bool foreign_enter(void)
{
    /* order STATE full: counted before the state is read; in: end */
    add_full(&foreigners, 1);
    /* order STATE in: all that the start made is there; out: quoit_main, quoit_init */
    if (likely(load_acquire(&state) == ON))
        return true;
    foreign_leave();
    return false;
}

void foreign_leave(void)
{
    /* order STATE out: all that was done here comes first; in: end */
    add_release(&foreigners, -1u);
}

bool forget_run(void)
{
    bool ran = load_relaxed(&state) != OFF;

    store_relaxed(&state, OFF);
    store_relaxed(&shutting, 0);
    store_relaxed(&foreigners, 0);
    store_relaxed(&sched.nm, 0);
    return ran;
}

/* ---- public --------------------------------------------------------------------------------- */

static struct p *first_p(void)
{
    struct p *pp;

    lock(&sched.lock);
    pp = pidleget_locked(sched.allp[0]);
    unlock(&sched.lock);
    return pp;
}

/* The first goroutine begins on the calling thread: what it locks itself to is the program's main
 * thread, which some libraries insist on. */
static int main1(quoit_fn fn, void *arg)
{
    struct quoit_g *gp;
    struct m *mp;
    int e, result;

    if (fn == NULL)
        return -EINVAL;
    if (m_get() != NULL)
        return -EALREADY;
    e = start(NULL);
    if (e < 0)
        return e;
    mp = m_adopt(first_p());
    if (mp == NULL) {
        steps_down(array_len(steps));
        store_relaxed(&state, OFF);
        return -ENOMEM;
    }
    sched.m0 = mp;
    profile_begin();
    /* Before the first goroutine is there: another M may run it at once, and threads that it
     * starts, or that do its I/O, come in. */
    /* order STATE out: all stands; in: foreign_enter */
    store_release(&state, ON);
    gp = newproc_main(mp, fn, arg);
    if (gp != NULL && switch_from_g0(mp, gp))
        schedule(mp);
    /* order INSIDE in: the result was stored before the stop began; out: stop_begin */
    result = load_acquire(&sched.stopping) ? sched.mainresult : -ENOMEM;
    m_release(mp);
    end();
    return result;
}

/* Starting and ending ask libraries and the kernel much that fails on purpose. */
int quoit_main(quoit_fn fn, void *arg)
{
    int saved = errno, result = main1(fn, arg);

    errno = saved;
    return result;
}

static int init1(const struct quoit_options *options)
{
    int e;

    if (m_get() != NULL)
        return -EALREADY;
    e = start(options);
    if (e < 0)
        return e;
    /* order STATE out: all stands; in: foreign_enter */
    store_release(&state, ON);
    profile_begin();
    /* With one thread that runs every goroutine will; whether more can be had shows later. */
    e = m_start(first_p(), false);
    if (e < 0)
        end();
    return e;
}

int quoit_init(const struct quoit_options *options)
{
    int saved = errno, e = init1(options);

    errno = saved;
    return e;
}

/* Waits for the last goroutine to end; false: the deadline came first. */
static bool drain(int64_t deadline_ns)
{
    bool in_time = true;

    store_relaxed(&sched.draining, 1);
    for (;;) {
        note_clear(&sched.drained);
        /* order DRAIN full: draining is set before goroutines are counted; in: m_sleep */
        fence_heavy();
        if (num_goroutine() == 0 || !in_time)
            break;
        in_time = note_sleep(&sched.drained, deadline_ns);
    }
    store_relaxed(&sched.draining, 0);
    return num_goroutine() == 0;
}

static int shutdown1(int64_t deadline_ns)
{
    /* order STATE in: whose run it is; out: quoit_main, quoit_init */
    if (load_acquire(&state) != ON || sched.m0 != NULL)
        return -EPERM;
    if (!drain(deadline_ns))
        return -EBUSY;
    end();
    return 0;
}

int quoit_shutdown(int64_t deadline_ns)
{
    int saved = errno, e;

    if (m_get() != NULL)
        return -EPERM;
    /* order STATE in: what another thread's attempt did; out: below */
    if (xchg_acquire(&shutting, 1) != 0)
        return -EBUSY;
    e = shutdown1(deadline_ns);
    /* order STATE out: what this attempt did comes first; in: the next one, above */
    store_release(&shutting, 0);
    errno = saved;
    return e;
}
