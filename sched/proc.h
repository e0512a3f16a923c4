/* SPDX-License-Identifier: BSD-3-Clause
 * proc.h - the verbs: what may be done with G's, M's and P's
 *
 * Grouped and ordered like the files. Unless said otherwise a function is called inside
 * (between enter and leave) by an M that holds a P; `mp` is that M. A function that may switch
 * returns the M on which the goroutine goes on: what the caller knew of the old one is stale.
 */
#ifndef QUOIT_SCHED_PROC_H
#define QUOIT_SCHED_PROC_H

#include "atomic.h"
#include "tls.h"

#include "gmp.h"
#include "netpoll.h"
#include "os_linux.h"

/* ---- inside and outside (syscall.c) --------------------------------------------------------- */

/* The running M, or NULL in a thread that is not ours. */
static always_inline struct m *m_get(void)
{
    return tls_get();
}

struct m *entry_slow(struct m *mp);

/* First thing in a public function: from here until leave() nothing may be taken from the M.
 * NULL in a thread that is not ours. */
static always_inline struct m *enter(void)
{
    struct m *mp = m_get();

    if (unlikely(mp == NULL))
        return NULL;
    store_relaxed(&mp->inside, 1);
    /* order INSIDE full: inside is set before revoked is read; in: stop_begin */
    fence_light();
    if (unlikely(load_relaxed(&mp->revoked) != 0))
        return entry_slow(mp);
    return mp;
}

/* The same for functions that only goroutines may call (any other caller ends the program), and for
 * coming back in the middle of one. */
struct m *enter_g(const char *who);
noreturn_fn cold void no_goroutine(const char *who);

/* Last thing: user code follows. */
static always_inline void leave(struct m *mp)
{
    /* order INSIDE out: all that was done inside comes first; in: stop_begin */
    store_release(&mp->inside, 0);
}

/* ---- birth and death (newproc.h, join.h) ---------------------------------------------------- */

/* Where every goroutine starts, on its own stack; arg is the M. */
void goroutine_main(void *arg);

/* ---- choosing (schedule.c, pick.h) ---------------------------------------------------------- */

/* On g0, for ever: find work and run it. Returns when the M is to leave. */
void schedule(struct m *mp);
/* A chain that became runnable, or is born now: onto the P's queue, others are called to help. */
void injectglist(struct m *mp, struct glist *list);

/* Does anything wait in pp's own queues? A hint. */
bool p_has_work(const struct p *pp);
/* There, or in a shared queue? */
bool work_waits(const struct p *pp);
/* Anything anywhere that an idle P could run? */
bool work_anywhere(void);

/* Completions of every M but mp (NULL: a thread that is not ours); true: there were some. */
bool reap_all(struct m *mp);

/* From g0 into `next`; returns when g0 runs again. False: it cannot run here (not_here). The other
 * switches stand in switch.h. */
bool switch_from_g0(struct m *mp, struct quoit_g *next);

/* ---- waiting (park.c) ----------------------------------------------------------------------- */

/* From Gwaiting to Grunnable, or born (newproc.h), and in the caller's hands. mp may be NULL. */
void make_runnable(struct m *mp, struct quoit_g *gp);

/* A parked goroutine goes on, next on this P. mp may be NULL: a thread that is not ours. park
 * stands in switch.h. */
void ready(struct m *mp, struct quoit_g *gp);

/* ---- what may not wait (pin.c) -------------------------------------------------------------- */

/* With m->locks > 0: the goroutine called something that would leave its M, or ended. */
noreturn_fn cold void pinned(const char *what);
noreturn_fn cold void pinned_end(const struct m *mp);

/* ---- calling for help (m.c) ----------------------------------------------------------------- */

cold void wakep_slow(struct m *mp);

/* After every put into a queue that others may take from: somebody should look, unless one looks
 * already. mp may be NULL. */
static always_inline void wakep(struct m *mp)
{
    /* order SPIN-DOWN full: the put is out before idle P's are looked for; in: second_look */
    fence_light();
    if (unlikely(load_relaxed(&sched.npidle) != 0))
        wakep_slow(mp);
}

/* ---- start and end (init.c) ----------------------------------------------------------------- */

/* From now on every M leaves at its next look; returns at once. Any thread. */
void stop_begin(void);

#endif
