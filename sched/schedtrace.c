/* SPDX-License-Identifier: BSD-3-Clause
 * schedtrace.c - the state of the scheduler in the lines that Go prints
 *
 * GODEBUG=schedtrace=100 makes sysmon print one line each 100 ms; scheddetail=1 makes it a block
 * of lines with all P's, M's and goroutines. The names are those of Go 1.4 for what is the same
 * thing here, so that scripts and eyes know them, and -1 stands for none; what a C program has no
 * use for (mallocing, dying) is left out, what is ours stands behind.
 *
 * No lock is taken. All is read while it moves: two numbers of one line need not fit together.
 */
#include "schedtrace.h"

#include "env.h"
#include "forkq.h"
#include "gfree.h"
#include "gstatus.h"
#include "p.h"
#include "proc.h"
#include "runq.h"

#include <unistd.h>

typedef uint64_t __attribute__((__may_alias__)) word;

no_sanitize_thread noinline void peek(void *to, const void *from, size_t bytes)
{
    const volatile word *in = from;
    word *out = to;

    for (size_t i = 0; i < bytes / sizeof *out; i++)
        out[i] = in[i];
}

bool peek_curg(const struct m *mp, struct quoit_g *g)
{
    /* hint: it may have another one by now */
    const struct quoit_g *gp = load_relaxed(&mp->curg);

    if (gp != NULL)
        peek(g, gp, sizeof *g);
    return gp != NULL;
}

unsigned long long goid_of(const struct quoit_g *gp)
{
    uint64_t id;

    peek(&id, &gp->id, sizeof id);
    return id;
}

static long long goid_or_none(const struct quoit_g *gp)
{
    return gp != NULL ? (long long)goid_of(gp) : -1;
}

/* hint: one that is being made may be missed */
static const struct m *first_m(void)
{
    const struct m *mp;

    peek(&mp, &sched.allm, sizeof mp);
    return mp;
}

static const struct m *next_m(const struct m *mp)
{
    const struct m *next;

    peek(&next, &mp->alllink, sizeof next);
    return next;
}

/* ---- the process ---------------------------------------------------------------------------- */

/* Ready ones in shared queues. */
static uint32_t shared(void)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < sched.nnodes; i++)
        n += load_relaxed(&sched.nodes[i].runq.n);
    return n;
}

static void say_lengths(struct say *s)
{
    for (uint32_t i = 0; i < nprocs(); i++) {
        const struct p *pp = sched.allp[i];

        say(s, "%s%u", i > 0 ? " " : " [", runq_size(&pp->runq) + (uint32_t)forkq_size(&pp->forkq));
    }
    say(s, "]\n");
}

static void say_state(struct say *s)
{
    uint32_t parked = 0;

    for (const struct m *mp = first_m(); mp != NULL; mp = next_m(mp)) {
        struct m m;

        peek(&m, mp, sizeof m);
        parked += m.parked;
    }
    say(s, " gcwaiting=%u nmidlelocked=%u stopwait=%u sysmonwait=%d lost=%u starving=%u\n",
        load_relaxed(&sched.gcwaiting), parked, load_relaxed(&sched.stopwait),
        load_relaxed(&sched.sysmonwait), load_relaxed(&sched.nlost), load_relaxed(&sched.starving));
}

static void say_summary(struct say *s, bool detail)
{
    say(s,
        "SCHED %ums: gomaxprocs=%u idleprocs=%u threads=%u spinningthreads=%u idlethreads=%u "
        "runqueue=%u",
        load_relaxed(&sched.coarse), load_relaxed(&sched.nprocs), npidle(), load_relaxed(&sched.nm),
        load_relaxed(&sched.nmspinning), load_relaxed(&sched.nmidle), shared());
    if (detail)
        say_state(s);
    else
        say_lengths(s);
}

/* ---- P's, M's and goroutines ---------------------------------------------------------------- */

static void say_p(struct say *s, const struct p *pp)
{
    const struct m *mp = load_relaxed(&pp->m);
    struct magazines gfree;
    struct m m = { 0 };

    peek(&gfree, &pp->gfree, sizeof gfree);
    if (mp != NULL)
        peek(&m, mp, sizeof m);
    say(s,
        "  P%u: status=%d schedtick=%llu syscalltick=%u m=%lld runqsize=%u gfreecnt=%u "
        "unstarted=%u node=%d core=%d\n",
        pp->id, mp != NULL, (unsigned long long)load_relaxed(&pp->schedtick), m.syscalltick,
        mp != NULL ? (long long)m.id : -1, runq_size(&pp->runq), gfree.n,
        (uint32_t)forkq_size(&pp->forkq), pp->place.node, load_relaxed(&pp->place.core));
}

static const char *m_state(const struct m *m)
{
    if (m->idle)
        return "idle";
    if (m->parked)
        return "parked";
    if (m->lost)
        return m->hog ? "hog" : "lost";
    return m->inside ? "inside" : "outside";
}

static void say_m(struct say *s, const struct m *mp)
{
    struct m m;

    peek(&m, mp, sizeof m);
    say(s,
        "  M%u: p=%lld curg=%lld locks=%d spinning=%d blocked=%d lockedg=%lld state=%s tid=%d "
        "inflight=%u pending=%u node=%d core=%d\n",
        m.id, m.p != NULL ? (long long)m.p->id : -1, goid_or_none(m.curg), m.locks, m.spinning,
        m.idle || m.parked, goid_or_none(m.lockedg), m_state(&m), m.tid, m.poll_inflight,
        m.poll_pending, m.node, m.p != NULL ? load_relaxed(&m.p->place.core) : -1);
}

void say_sched(struct say *s, bool detail)
{
    say_summary(s, detail);
    if (detail) {
        for (uint32_t i = 0; i < nprocs(); i++)
            say_p(s, sched.allp[i]);
        for (const struct m *mp = first_m(); mp != NULL; mp = next_m(mp))
            say_m(s, mp);
    }
}

/* The M that runs it, copied; false: none does. */
static bool m_of(const struct quoit_g *gp, struct m *m)
{
    for (const struct m *mp = first_m(); mp != NULL; mp = next_m(mp)) {
        peek(m, mp, sizeof *m);
        if (m->curg == gp)
            return true;
    }
    return false;
}

static int say_g(struct quoit_g *gp, void *arg)
{
    uint32_t status = load_relaxed(&gp->status);
    const struct m *locked;
    struct quoit_g g;
    bool runs = false;
    struct m m;

    if (status == Gidle || status == Gdead)
        return 0;
    peek(&g, gp, sizeof g);
    if (status == Grunning || status == Gsyscall)
        runs = m_of(gp, &m);
    locked = g.flags & G_LOCKED ? g.lockedm : NULL;
    say(arg, "  G%llu: status=%u(%s) m=%lld lockedm=%lld node=%u core=%d\n",
        (unsigned long long)g.id, status, status == Gwaiting && g.reason != NULL ? g.reason : "",
        runs ? (long long)m.id : -1, locked != NULL ? (long long)locked->id : -1, g.node,
        runs && m.lastp != NULL ? load_relaxed(&m.lastp->place.core) : -1);
    return ((struct say *)arg)->error;
}

/* ---- again and again ------------------------------------------------------------------------ */

static int64_t due;

static int64_t period(void)
{
    return (int64_t)godebug_schedtrace() * 1000000;
}

void schedtrace_begin(int64_t now)
{
    due = period() > 0 ? now + period() : INT64_MAX;
}

int64_t schedtrace_due(void)
{
    return due;
}

void schedtrace_look(int64_t now)
{
    struct say s;

    if (now < due)
        return;
    due = now + period();
    say_begin(&s, STDERR_FILENO);
    say_sched(&s, godebug(GODEBUG_DETAIL));
    if (godebug(GODEBUG_DETAIL))
        (void)allgs(say_g, &s);
    say_flush(&s);
}
