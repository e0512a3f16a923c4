/* SPDX-License-Identifier: BSD-3-Clause
 * world.c - stop, start; a parallel phase while nothing else runs
 *
 * Who stops the world holds a semaphore, so there is one at a time. It sets sched.gcwaiting and
 * calls every M to the door. What it then waits for, sched.stopwait, is counted in P's, and in M's
 * without one whose goroutine runs all the same:
 *
 *     an idle P                             is taken off its list: stopped
 *     the caller's own                      counts as stopped
 *     of an M in a marked call              is taken: the call may go on, its way back is barred
 *     of an M that runs                     the M comes in at its next entry, gives it up, sleeps
 *     of an M that lost its P, not in a     the M comes in at its next entry, finds no P, and
 *         marked call                           says that it has come (WANT_COUNT)
 *
 * Goroutines in quoit_block count as stopped. So does anything in a marked call: it may still write
 * memory, and its author has promised that this does no harm.
 *
 * An M that comes in spins for a while before it sleeps, and keeps its P in mind: the start gives
 * it back.
 */
#include "world.h"

#include "cpu.h"

#include "bind.h"
#include "children.h"
#include "topo.h"

#include "hold.h"
#include "init.h"
#include "m.h"
#include "p.h"
#include "proc.h"
#include "rungs.h"
#include "schedtrace.h"
#include "syscall.h"
#include "sysmon.h"
#include "throw.h"

#include "env.h"

#include <errno.h>

enum { SPIN_NS = 100000, LOOK_NS = 10000000, QUANTUM_NS = 10000000, HOLD_NS = 200000 };

static struct world {
    quoit_sema sema; /* 1: nobody stops it */
    uint32_t owner; /* a  the thread that has, 0: none; relaxed, as each asks for itself only */
    bool hold;      /*    it wants those that do not come in to be held */
    struct turn {   /*    of who stops it, for as long as it has not given way */
        const struct quoit_g *g;
        uint64_t schedtick;
        int64_t since;
    } turn;
} world;

static bool is_owner(void)
{
    uint32_t owner = load_relaxed(&world.owner);

    return owner != 0 && owner == (uint32_t)os_gettid();
}

/* ---- counting ------------------------------------------------------------------------------- */

void world_stopped_one_locked(void)
{
    /* order WORLD out: what was done before it came in; in: wait_stopped */
    if (add_acq_rel(&sched.stopwait, -1u) == 1)
        note_wake(&sched.stopnote);
}

/* A P has come to rest; NULL: what is counted beside them. */
static void stopped(struct p *pp)
{
    lock(&sched.lock);
    if (pp != NULL)
        pidleput_locked(pp);
    else
        world_stopped_one_locked();
    unlock(&sched.lock);
}

/* If it has no P, and its goroutine runs outside, unmarked, then it is one more to wait for. */
static void call_in(struct m *mp)
{
    m_call(mp, WANT_P);
    lock(&mp->lock);
    if (mp->lost && load_relaxed(&mp->curg->status) == Grunning) {
        mp->want |= WANT_COUNT;
        add_relaxed(&sched.stopwait, 1);
    }
    unlock(&mp->lock);
}

static void stop_begins(struct m *self)
{
    struct p *pp;

    lock(&sched.takelock);
    lock(&sched.lock);
    note_clear(&sched.stopnote);
    /* One more than there are, so that nobody wakes us before all are counted. */
    store_relaxed(&sched.stopwait, sched.nprocs + 1);
    /* hint: what makes it count is the call that follows */
    store_relaxed(&sched.gcwaiting, 1);
    while ((pp = pidleget_locked(NULL)) != NULL)
        pidleput_locked(pp);
    if (self != NULL)
        world_stopped_one_locked();
    unlock(&sched.lock);
    for (struct m *mp = allm_first(); mp != NULL; mp = mp->alllink)
        if (mp != self)
            call_in(mp);
    fence_heavy();
    for (struct m *mp = allm_first(); mp != NULL; mp = mp->alllink)
        if (mp != self && (pp = m_take(mp, false)) != NULL)
            stopped(pp);
    unlock(&sched.takelock);
    stopped(NULL);
}

static void hurry_all(int64_t now)
{
    for (struct m *mp = allm_first(); mp != NULL; mp = mp->alllink)
        rungs_hurry(mp, now);
}

/* It stands still: its P is taken, and if it has none it is waited for no more. */
static void count_held(struct m *mp)
{
    struct p *pp = m_call_take(mp, false);

    if (pp != NULL)
        stopped(pp);
    lock(&mp->lock);
    if (mp->want & WANT_COUNT) {
        mp->want &= ~(uint32_t)WANT_COUNT;
        world_stopped_one_locked();
    }
    unlock(&mp->lock);
}

static void hold_all(void)
{
    lock(&sched.lock);
    if (!load_relaxed(&sched.stopping))
        hold_begin_locked();
    unlock(&sched.lock);
    for (struct m *mp = allm_first(); mp != NULL; mp = mp->alllink) {
        if (hold_has(mp))
            count_held(mp);
        else if (runs_outside(mp))
            rungs_poke(mp);
    }
}

/* Those that have computed for half a quantum meanwhile are asked, and asked again, as signals may
 * come in where nothing can be done. Another half later they are held, if that is wanted. */
static void wait_long(int64_t deadline)
{
    int64_t now = nanotime(), pause = env.quantum / 2;

    for (int i = 0; deadline - now > pause; i++) {
        if (note_sleep(&sched.stopnote, now + pause))
            return;
        now = nanotime();
        if (i == 0 || !world.hold) {
            hurry_all(now);
        } else {
            hold_all();
            pause = HOLD_NS;
        }
    }
    (void)note_sleep(&sched.stopnote, deadline);
}

/* False: somebody has not come in at the deadline, or Quoit ends. */
static bool wait_stopped(int64_t deadline)
{
    int64_t until = nanotime() + SPIN_NS;

    if (until > deadline)
        until = deadline;
    do {
        /* order WORLD in: what they did before is seen; out: world_stopped_one_locked */
        if (load_acquire(&sched.stopwait) == 0)
            return true;
        cpu_relax();
    } while (nanotime() < until && !load_relaxed(&sched.stopping));
    /* If it was not set yet in stop_begins, under the lock, then world_ends is still to come. */
    if (!load_relaxed(&sched.stopping))
        wait_long(deadline);
    /* order WORLD in: as above; out: world_stopped_one_locked */
    return load_acquire(&sched.stopwait) == 0;
}

/* It goes on while it is looked at: what is said of it is a hint. */
static void say_who(const struct m *self)
{
    for (struct m *mp = allm_first(); mp != NULL; mp = mp->alllink) {
        struct quoit_g g;
        bool named;

        if (mp == self || !peek_curg(mp, &g) || g.status != Grunning)
            continue;
        named = g.flags & G_NAMED;
        log_line(LOG_WARNING,
                 "quoit_stop_world: goroutine %llu%s%.*s has not come in; it runs on thread %d",
                 (unsigned long long)g.id, named ? ", " : "", named ? GNAME_MAX : 0, g.name,
                 load_relaxed(&mp->tid));
    }
}

/* ---- going on ------------------------------------------------------------------------------- */

/* The other half of stop_begins. */
static void start_all(struct m *self)
{
    lock(&sched.lock);
    hold_end_locked();
    unlock(&sched.lock);
    startm_each();
    for (struct m *mp = allm_first(); mp != NULL; mp = mp->alllink)
        m_forget(mp, WANT_COUNT);
    /* order SPIN-DOWN full: the P's show as idle before the last look; in: wakep */
    fence_heavy();
    if (work_anywhere())
        wakep(self);
    sysmon_wake();
}

/* ---- public --------------------------------------------------------------------------------- */

int world_init(void)
{
    /* A thread that is not ours may ask for the owner already, before it comes in. */
    store_relaxed(&world.owner, 0);
    world.turn = (struct turn){ 0 };
    quoit_sema_init(&world.sema, 1);
    return 0;
}

void world_ends(void)
{
    lock(&sched.lock);
    note_wake(&sched.stopnote);
    hold_end_locked();
    unlock(&sched.lock);
}

/* The one before may never start the world again, for at the end its goroutine goes on no more: a
 * thread that is not ours looks now and then. */
static int wait_turn(const struct m *mp, int64_t deadline)
{
    int64_t until;
    int e;

    if (mp != NULL)
        return quoit_sema_wait_until(&world.sema, deadline);
    do {
        until = nanotime() + LOOK_NS;
        e = quoit_sema_wait_until(&world.sema, until < deadline ? until : deadline);
        if (e < 0 && load_relaxed(&sched.stopping))
            return -ESHUTDOWN;
    } while (e < 0 && until < deadline);
    return e;
}

static int held(void)
{
    int n = 0;

    for (const struct m *mp = allm_first(); mp != NULL; mp = mp->alllink)
        n += hold_has(mp);
    return n;
}

/* Nothing parks from here until the start: the P is kept, and who tries is told. */
static int stop(struct m *mp, int64_t deadline_ns, bool hold, bool tell)
{
    if (mp != NULL)
        mp->locks++;
    store_relaxed(&world.owner, (uint32_t)os_gettid());
    /* hint: anybody reads it */
    store_relaxed(&sched.stops, sched.stops + 1);
    world.hold = hold;
    stop_begins(mp);
    if (wait_stopped(deadline_ns))
        return held();
    if (load_relaxed(&sched.stopping))
        return -ESHUTDOWN;
    if (tell)
        say_who(mp);
    return -ETIMEDOUT;
}

/* A goroutine that does nothing but stop the world, and has had its P for long enough. */
static bool turn_is_over(const struct m *mp)
{
    struct turn *t = &world.turn;
    uint64_t tick = load_relaxed(&mp->p->schedtick);
    int64_t now = nanotime();

    if (t->g == mp->curg && t->schedtick == tick)
        return now - t->since >= QUANTUM_NS;
    *t = (struct turn){ mp->curg, tick, now };
    return false;
}

static void go_on(struct m *mp)
{
    bool over = mp != NULL && mp->locks == 1 && turn_is_over(mp);

    store_relaxed(&world.owner, 0);
    start_all(mp);
    if (over)
        /* sysmon rests while the world is stopped: timers and completions are looked at now. */
        mp->p->fairat = 0;
    if (mp != NULL) {
        mp->locks--;
        leave(mp);
    }
    quoit_sema_post(&world.sema);
    if (mp == NULL)
        foreign_leave();
    if (over)
        quoit_yield();
}

/* hold: those that do not come in; tell: of those that are not held either. */
static int stop_world(int64_t deadline_ns, bool hold, bool tell)
{
    struct m *mp = m_get();
    int e;

    if (is_owner())
        return -EDEADLK;
    if (mp == NULL && !foreign_enter())
        return -ESHUTDOWN;
    e = wait_turn(mp, deadline_ns);
    if (e < 0) {
        if (mp == NULL)
            foreign_leave();
        return e;
    }
    /* An attached thread goes on alone when Quoit has ended meanwhile. */
    if (mp != NULL && (mp = enter()) == NULL)
        return -ESHUTDOWN;
    e = stop(mp, deadline_ns, hold, tell);
    if (e < 0)
        go_on(mp);
    else if (mp != NULL)
        leave(mp);
    return e;
}

int quoit_stop_world(int64_t deadline_ns, unsigned flags)
{
    if (flags & ~(unsigned)QUOIT_STOP_HOLD)
        return -EINVAL;
    return stop_world(deadline_ns, flags & QUOIT_STOP_HOLD, true);
}

void quoit_start_world(void)
{
    struct m *mp = enter();

    CHECK(is_owner(), "the world was not stopped by the caller");
    go_on(mp);
}

static int resize(int n)
{
    struct m *mp = enter();
    int e = procresize(mp, (uint32_t)n);

    if (mp != NULL)
        leave(mp);
    return e;
}

int quoit_gomaxprocs(int n)
{
    int old = (int)load_relaxed(&sched.nprocs), e;

    if (n < 1)
        return old;
    if (n > PROCS_MAX)
        return -EINVAL;
    /* hint: from here on the program knows better than the machine */
    store_relaxed(&sched.chosen, true);
    if (n == old)
        return old;
    e = quoit_stop_world(INT64_MAX, 0);
    if (e < 0)
        return e;
    old = (int)sched.nprocs;
    e = resize(n);
    quoit_start_world();
    return e < 0 ? e : old;
}

int world_follow(const struct topo_view *v, int64_t deadline)
{
    int e = stop_world(deadline, false, false);

    if (e < 0)
        return e;
    topo_adopt(v);
    if (v->mask != NULL) {
        bind_resave(v->mask, v->bytes);
        children_remask();
    }
    if (!load_relaxed(&sched.chosen))
        e = procresize(NULL, (uint32_t)procs_wanted());
    quoit_start_world();
    return e;
}

/* ---- a parallel phase ----------------------------------------------------------------------- */

static struct phase {
    void (*fn)(int i, int n, void *arg);
    void *arg;
    int n;
    uint32_t left; /* a  WORLD-HELP */
    struct note done;
} phase;

void world_help(struct m *mp)
{
    /* order WORLD-HELP in: what is to be done; out: call_helpers */
    int share = load_acquire(&mp->help);

    if (share == 0)
        return;
    /* The next phase may give it another one. */
    store_relaxed(&mp->help, 0);
    phase.fn(share, phase.n, phase.arg);
    /* order WORLD-HELP in, out: the share is done, and all others are; in, out: here */
    if (add_acq_rel(&phase.left, -1u) == 1)
        note_wake(&phase.done);
}

/* Idle M's, one for each P but the caller's at most, and at most as many as there are. */
static void call_helpers(int most)
{
    int n = 0;

    lock(&sched.lock);
    for (struct m *mp = sched.idlem; mp != NULL && n < most; mp = mp->idlelink)
        n++;
    phase.n = n + 1;
    store_relaxed(&phase.left, (uint32_t)n);
    for (struct m *mp = sched.idlem; mp != NULL && n > 0; mp = mp->idlelink) {
        /* order WORLD-HELP out: the phase is described before it is begun; in: world_help */
        store_release(&mp->help, n--);
        netpoll_wake(mp);
    }
    unlock(&sched.lock);
}

int quoit_world_parallel(void (*fn)(int i, int n, void *arg), void *arg)
{
    if (fn == NULL)
        return -EINVAL;
    if (!is_owner())
        return -EPERM;
    phase.fn = fn;
    phase.arg = arg;
    note_clear(&phase.done);
    call_helpers((int)sched.nprocs - 1);
    fn(0, phase.n, arg);
    /* The last one does not look at the phase any more once it has woken us. */
    if (phase.n > 1)
        (void)note_sleep(&phase.done, INT64_MAX);
    return phase.n;
}
