/* SPDX-License-Identifier: BSD-3-Clause
 * quiesce.c - visits to goroutines at safe points, while the others go on
 *
 * quoit_quiesce walks over all records. A goroutine that does not run is held by a scan
 * (gstatus.h) while it is visited. One that runs is called to the door (WANT_VISIT): there it
 * parks, and is the visitor's to make ready. If it parks or yields before it comes to the door,
 * the visitor finds it so when it looks again.
 */
#include "quiesce.h"

#include "cpu.h"

#include "gfree.h"
#include "gstatus.h"
#include "init.h"
#include "m.h"
#include "proc.h"
#include "rungs.h"
#include "switch.h"
#include "syscall.h"
#include "timer.h"

#include <errno.h>
#include <string.h>

enum { TURN_NS = 10000000 }; /* how often a plain thread looks whether Quoit ends */

static struct visits {
    quoit_sema turn;
    struct lock lock;
    struct quoit_g *wanted; /* under the lock: is to give way */
    bool offered;           /*   it has, and waits to be made ready */
    struct timed *sleeper;  /*   the visitor, where it is a goroutine and waits for that */
    struct note note;       /* where it is a plain thread */
    uint32_t visitor;       /* a  the thread that runs a visit now, 0: none */
} visits;

int quiesce_init(void)
{
    visits = (struct visits){ .wanted = NULL };
    quoit_sema_init(&visits.turn, 1);
    return 0;
}

bool take_turn(quoit_sema *turn)
{
    if (m_get() != NULL) {
        quoit_sema_wait(turn);
        return true;
    }
    while (quoit_sema_wait_until(turn, nanotime() + TURN_NS) < 0)
        if (load_relaxed(&sched.stopping))
            return false;
    return true;
}

/* ---- a visit -------------------------------------------------------------------------------- */

struct visit {
    int (*fn)(const struct quoit_ginfo *g, void *arg);
    void *arg;
    const struct quoit_g *self; /* NULL: the caller is a plain thread */
};

/* While somebody is held nothing may park here, and no door be answered. */
static void hold_begins(void)
{
    struct m *mp = enter();

    if (mp == NULL)
        return;
    mp->locks++;
    leave(mp);
}

static void hold_ends(void)
{
    struct m *mp = enter();

    if (mp == NULL)
        return;
    mp->locks--;
    leave(mp);
}

/* gp is held, or the caller's own. */
static int show(const struct visit *v, const struct quoit_g *gp, uint32_t state)
{
    bool started = state != Grunnable || gp->stk != NULL;
    struct quoit_ginfo info = { .size = sizeof info, .node = gp->node, .id = gp->id,
                                .state = gstatus_name(state) };
    char name[GNAME_MAX] = "";
    int r;

    if (gp->flags & G_SYSTEM)
        return 0;
    if (gp->flags & G_NAMED)
        memcpy(name, gp->name, sizeof name);
    info.name = name;
    if (started && state == Gwaiting) {
        info.reason = gp->reason;
        info.wait_ns = (int64_t)(load_relaxed(&sched.coarse) - gp->since) * 1000000;
    }
    store_relaxed(&visits.visitor, (uint32_t)os_gettid());
    r = v->fn(&info, v->arg);
    store_relaxed(&visits.visitor, 0);
    return r;
}

/* ---- goroutines that run -------------------------------------------------------------------- */

/* Once it has left its stack: if it is still wanted it waits, and the visitor is told. */
static int offer(void *arg)
{
    struct quoit_g *gp = arg;
    struct timed *sleeper = NULL;
    bool wanted;

    lock(&visits.lock);
    wanted = visits.wanted == gp;
    if (wanted) {
        visits.offered = true;
        sleeper = visits.sleeper;
        visits.sleeper = NULL;
        note_wake(&visits.note);
    }
    unlock(&visits.lock);
    if (sleeper != NULL)
        timed_wake(m_get(), sleeper);
    return wanted;
}

struct m *give_way(struct m *mp)
{
    return park(mp, offer, mp->curg, "quiesce");
}

static void want(struct quoit_g *gp)
{
    lock(&visits.lock);
    note_clear(&visits.note);
    visits.wanted = gp;
    visits.offered = false;
    unlock(&visits.lock);
}

/* True: it was offered, and is the visitor's to make ready. */
static bool want_no_more(void)
{
    bool offered;

    lock(&visits.lock);
    visits.wanted = NULL;
    offered = visits.offered;
    visits.offered = false;
    unlock(&visits.lock);
    return offered;
}

static bool is_offered(void)
{
    bool offered;

    lock(&visits.lock);
    offered = visits.offered;
    unlock(&visits.lock);
    return offered;
}

/* long_since: it has been called for a while. */
static void call(const struct quoit_g *gp, bool long_since)
{
    for (struct m *mp = allm_first(); mp != NULL; mp = mp->alllink) {
        if (load_relaxed(&mp->curg) != gp)
            continue;
        m_call(mp, WANT_VISIT);
        if (long_since)
            rungs_hurry(mp, nanotime());
    }
}

static int sleep_unlock(void *arg)
{
    bool sleep;

    lock(&visits.lock);
    sleep = !visits.offered;
    if (sleep)
        visits.sleeper = arg;
    unlock(&visits.lock);
    return sleep;
}

/* Until it is offered, or for a while. */
static void wait_offer(int64_t deadline)
{
    struct m *mp = enter();
    struct timed t;
    bool told;

    if (mp == NULL) {
        (void)note_sleep(&visits.note, deadline);
        return;
    }
    mp = timed_wait(mp, &t, deadline, sleep_unlock, &t, "quiesce");
    if (timed_out(&t)) {
        lock(&visits.lock);
        told = visits.sleeper != &t;
        visits.sleeper = NULL;
        unlock(&visits.lock);
        if (told)
            mp = timed_settle(mp, &t, "quiesce");
    }
    leave(mp);
}

static void make_ready(struct quoit_g *gp)
{
    struct m *mp = enter();

    ready(mp, gp);
    if (mp != NULL)
        leave(mp);
}

/* ---- and all -------------------------------------------------------------------------------- */

enum held { HELD, RUNS, GONE };

/* Another scanner lets go soon. */
static enum held hold(struct quoit_g *gp, uint32_t *state)
{
    for (int spins = 0;; spins++) {
        /* order G-OFF in: in that state its context is saved; out: gstatus_set */
        *state = load_acquire(&gp->status);
        if (*state == Gidle || *state == Gdead)
            return GONE;
        if (*state == Grunning)
            return RUNS;
        if (gscan_begin(gp, *state))
            return HELD;
        if (spins < 100)
            cpu_relax();
        else
            os_yield();
    }
}

/* If it can be held now. */
static enum held try_visit(const struct visit *v, struct quoit_g *gp, int *r)
{
    uint32_t state;
    enum held held;

    hold_begins();
    held = hold(gp, &state);
    if (held == HELD) {
        *r = show(v, gp, state);
        gscan_end(gp);
    }
    hold_ends();
    return held;
}

static int visit_offered(const struct visit *v, struct quoit_g *gp)
{
    int r;

    hold_begins();
    r = show(v, gp, Grunnable);
    hold_ends();
    make_ready(gp);
    return r;
}

static int visit_running(const struct visit *v, struct quoit_g *gp)
{
    int64_t pause = PAUSE_NS;
    enum held held = RUNS;
    int r = 0;

    want(gp);
    while (held == RUNS && !is_offered()) {
        if (load_relaxed(&sched.stopping)) {
            r = -ESHUTDOWN;
            break;
        }
        call(gp, pause == PAUSE_MOST_NS);
        wait_offer(nanotime() + pause);
        pause = longer(pause);
        if (!is_offered())
            held = try_visit(v, gp, &r);
    }
    if (!want_no_more())
        return r;
    /* It may have been visited, or have ended and be another one by now. */
    if (held == RUNS && r == 0)
        return visit_offered(v, gp);
    make_ready(gp);
    return r;
}

static int visit_one(struct quoit_g *gp, void *arg)
{
    const struct visit *v = arg;
    int r = 0;

    if (gp == v->self) {
        hold_begins();
        r = show(v, gp, Grunning);
        hold_ends();
        return r;
    }
    if (try_visit(v, gp, &r) == RUNS)
        r = visit_running(v, gp);
    return r;
}

static int quiesce(struct visit *v)
{
    int r;

    if (!take_turn(&visits.turn))
        return -ESHUTDOWN;
    v->self = quoit_self();
    r = allgs(visit_one, v);
    quoit_sema_post(&visits.turn);
    return r;
}

int quoit_quiesce(int (*visit)(const struct quoit_ginfo *g, void *arg), void *arg)
{
    struct visit v = { visit, arg, NULL };
    uint32_t visitor = load_relaxed(&visits.visitor);
    struct m *mp;
    int r;

    if (visit == NULL)
        return -EINVAL;
    if (visitor != 0 && visitor == (uint32_t)os_gettid())
        return -EDEADLK;
    mp = enter();
    if (mp == NULL) {
        if (!foreign_enter())
            return -ESHUTDOWN;
        r = quiesce(&v);
        foreign_leave();
        return r;
    }
    if (unlikely(mp->locks != 0))
        pinned(__func__);
    leave(mp);
    return quiesce(&v);
}
