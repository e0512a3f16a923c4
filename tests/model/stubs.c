/* SPDX-License-Identifier: BSD-3-Clause
 * stubs.c - what the files under test call and no model is about
 *
 * Weak: a model that includes the real one gets that.
 */
#include "children.h"

#include "proc.h"

#include "machine.h"

#include "foreign.h"
#include "fork.h"
#include "gfree.h"
#include "globrunq.h"
#include "hold.h"
#include "housekeep.h"
#include "init.h"
#include "join.h"
#include "lockthread.h"
#include "m.h"
#include "p.h"
#include "profile.h"
#include "quiesce.h"
#include "rungs.h"
#include "syscall.h"
#include "sysmon.h"
#include "throw.h"
#include "timer.h"
#include "world.h"

#include <stdlib.h>

#define stub __attribute__((__weak__))

stub struct sched sched;

noreturn_fn stub void throw(const char *fmt, ...)
{
    fail_step("throw: %s", fmt);
    abort();
}

stub void log_line(int level, const char *fmt, ...)
{
    (void)level, (void)fmt;
}

/* setup() says what there is. */
stub void fence_init(void)
{
}

stub int64_t nanotime(void)
{
    return 0;
}

stub int64_t thread_cputime(int tid unused_arg)
{
    return 0;
}

stub bool thread_sleeps(int tid unused_arg)
{
    return true;
}

/* No model of a protocol beside it revokes an M. */
stub struct m *entry_slow(struct m *mp)
{
    return mp;
}

stub struct m *foreign_abandoned(struct m *mp unused_arg)
{
    return NULL;
}

noreturn_fn stub void no_goroutine(const char *who)
{
    throw("%s: no goroutine", who);
}

stub void stop_begin(void)
{
}

stub bool foreign_enter(void)
{
    return true;
}

stub void foreign_leave(void)
{
}

/* Nobody watches. */
stub int sysmon_start(void)
{
    return 0;
}

stub void sysmon_stop(void)
{
}

stub void sysmon_wake(void)
{
}

/* There is no machine. */
stub int procs_wanted(void)
{
    return 1;
}

/* Nothing is given back. */
stub int housekeep_init(void)
{
    return 0;
}

/* Turns are not what a model is about. */
stub void turn_ends(struct p *pp unused_arg)
{
}

/* The threads of a model have no errno of their own. */
stub int errno_get(void)
{
    return 0;
}

stub void errno_put(int e unused_arg)
{
}

stub void profile_begin(void)
{
}

stub void profile_end(void)
{
}

stub void profile_m_begins(struct m *mp unused_arg)
{
}

stub void profile_m_ends(struct m *mp unused_arg)
{
}

stub void profile_m_gone(struct m *mp unused_arg)
{
}

/* Nothing is made to give way. */
stub int rungs_init(void)
{
    return 0;
}

stub void rungs_fini(void)
{
}

stub void rungs_thread_begin(struct m *mp unused_arg)
{
}

stub void rungs_thread_end(struct m *mp unused_arg)
{
}

stub void rungs_hurry(struct m *mp unused_arg, int64_t now unused_arg)
{
}

stub void hold_end_locked(void)
{
}

stub bool hold_has(const struct m *mp unused_arg)
{
    return false;
}

stub void housekeep_stop(void)
{
}

stub int world_init(void)
{
    return 0;
}

/* Nobody has stopped it. */
stub void world_ends(void)
{
}

/* The world goes on. */
stub void world_help(struct m *mp)
{
    (void)mp;
}

/* Nothing is loaded in a model. */
stub void children_refresh(void)
{
}

/* Each model has one thread that asks. */
stub int os_gettid(void)
{
    return 1;
}

/* ---- never called, but not every compiler sees that ----------------------------------------- */

#define NEVER(returns, name, ...)              \
    stub returns name(__VA_ARGS__);            \
    stub returns name(__VA_ARGS__)             \
    {                                          \
        throw("no model is about " #name);     \
    }

NEVER(void, gstatus_bad, const struct quoit_g *gp unused_arg, uint32_t from unused_arg,
      uint32_t to unused_arg)
NEVER(void, gstatus_scanned, struct quoit_g *gp unused_arg)
NEVER(void, acquirep, struct m *mp unused_arg, struct p *pp unused_arg)
NEVER(void, schedule, struct m *mp unused_arg)
NEVER(bool, switch_from_g0, struct m *mp unused_arg, struct quoit_g *next unused_arg)
NEVER(void, not_here, struct m *mp unused_arg, struct quoit_g *next unused_arg)
NEVER(bool, set_running_slow, struct m *mp unused_arg, struct quoit_g *next unused_arg)
NEVER(void, make_runnable, struct m *mp unused_arg, struct quoit_g *gp unused_arg)
NEVER(struct quoit_g *, locked_turn, struct m *mp unused_arg)
NEVER(void, locked_ended, struct m *mp unused_arg, struct quoit_g *gp unused_arg)
NEVER(void, last_turn, struct m *mp unused_arg)
NEVER(void, inplace_ended, struct m *mp unused_arg, struct quoit_g *child unused_arg)
NEVER(void, tell_drained, void)
NEVER(void, unlock_thread, struct m *mp unused_arg, struct quoit_g *gp unused_arg)
NEVER(void, world_stopped_one_locked, void)
NEVER(void, m_call, struct m *mp unused_arg, enum want want unused_arg)
NEVER(struct p *, m_call_take, struct m *mp unused_arg, bool computes unused_arg)
NEVER(bool, runs_outside, const struct m *mp unused_arg)
NEVER(void, rungs_poke, struct m *mp unused_arg)
NEVER(void, hold_begin_locked, void)
NEVER(void, m_sleep, struct m *mp unused_arg)
NEVER(void, handoffp, struct p *pp unused_arg)
NEVER(bool, work_waits, const struct p *pp unused_arg)
NEVER(bool, work_anywhere, void)
NEVER(bool, p_has_work, const struct p *pp unused_arg)
NEVER(void, runq_add, struct p *pp unused_arg, struct quoit_g *gp unused_arg)
NEVER(void, globrunqput, struct node *np unused_arg, struct quoit_g *gp unused_arg)
NEVER(void, gfput_slow, struct p *pp unused_arg, struct quoit_g *gp unused_arg)
NEVER(int, overflow_thread_init, struct m *mp unused_arg)
NEVER(void, overflow_thread_fini, struct m *mp unused_arg)
NEVER(void, netpoll_open, struct m *mp unused_arg)
NEVER(void, netpoll_close, struct m *mp unused_arg)
NEVER(void, netpoll_flush, struct m *mp unused_arg)
NEVER(uint32_t, netpoll_rest, struct m *mp unused_arg)
NEVER(bool, netpoll_overdue, const struct m *m2 unused_arg, int64_t now unused_arg)
NEVER(void, netpoll_flush_for, struct m *m2 unused_arg)
NEVER(bool, netpoll_busy, void)
NEVER(noreturn_fn void, child_returned, void)
NEVER(noreturn_fn void, pinned, const char *what unused_arg)
NEVER(noreturn_fn void, pinned_end, const struct m *mp unused_arg)
NEVER(struct m *, give_way, struct m *mp unused_arg)
NEVER(void, os_sleep_until, int64_t deadline unused_arg)
NEVER(void, timed_wake, struct m *mp unused_arg, struct timed *t unused_arg)
NEVER(void, netpoll_mail, struct m *mp unused_arg)
NEVER(void, netpoll_cancel, struct op *op unused_arg)
NEVER(int64_t, cancel_look, struct m *mp unused_arg)
NEVER(void, cancel_for, struct poller *pl unused_arg)
NEVER(int, limit_error, struct quoit_g *gp unused_arg)
NEVER(int, join_until, struct m **mp unused_arg, struct quoit_g *child unused_arg,
      int *result unused_arg, int64_t deadline unused_arg)
NEVER(void, join_wake, struct m *mp unused_arg, struct quoit_g *joiner unused_arg)
NEVER(int, timers_run, struct m *mp unused_arg, struct p *pp unused_arg, int64_t now unused_arg)
NEVER(void, timers_fini, struct timers *ts unused_arg)
NEVER(int, thread_start, pthread_t *thread unused_arg, const pthread_attr_t *attr unused_arg,
      void *(*fn)(void *) unused_arg, void *arg unused_arg)
