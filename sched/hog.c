/* SPDX-License-Identifier: BSD-3-Clause
 * hog.c - goroutines that compute on without a P
 *
 * Whoever computes for two quanta while others wait loses its P (retake.c) and goes on as an
 * ordinary thread, until its next call of Quoit. Its stack is not touched and its thread not
 * disturbed, so this is safe for any code. The thread may run on all cpus of its node from then
 * on, since its core has somebody else's work to do; the P that it gets later binds it again
 * (m_bind).
 *
 * There may be QUOIT_MAXHOGS that compute. Which of the M's without a P do is asked of the clocks
 * of their threads, ten times a second, and when one more is wanted than there may be: a hog that
 * has come to block is none any more, and who stood still and goes on computing is one. Both are
 * kept under m->lock, where the M comes in. A hog in code that may be interrupted is made to come
 * in at the same time (rungs.c): its cores are not its own.
 */
#include "hog.h"

#include "env.h"
#include "m.h"
#include "os_linux.h"
#include "p.h"
#include "proc.h"
#include "rungs.h"
#include "say.h"
#include "schedtrace.h"
#include "throw.h"
#include "traceback.h"

enum { LOOK_NS = 100000000, SITES = 64 };

static const int64_t tell_ns = 60 * INT64_C(1000000000);

static struct {
    int64_t looked;
    int64_t told; /* that there are too many */
    struct site {
        const void *site;
        bool pinned;
    } sites[SITES]; /* of whom it was told */
    int nsites;
} hogs;

/* ---- telling -------------------------------------------------------------------------------- */

/* "goroutine 12, worker, made at 0x...". What is said of one that runs on is a hint. */
static void say_who(struct say *s, const struct quoit_g *g)
{
    say(s, "goroutine %llu", (unsigned long long)g->id);
    if (g->flags & G_NAMED)
        say(s, ", %.*s", GNAME_MAX, g->name);
    if (g->site != NULL) {
        say(s, ", made at ");
        place_say(s, (uintptr_t)g->site - 1);
    }
}

/* A line for each place at which such goroutines are made. */
static bool is_new(const void *site, bool pinned)
{
    for (int i = 0; i < hogs.nsites; i++)
        if (hogs.sites[i].site == site && hogs.sites[i].pinned == pinned)
            return false;
    if (hogs.nsites == SITES)
        return false;
    hogs.sites[hogs.nsites++] = (struct site){ site, pinned };
    return true;
}

/* The ids of those that compute, as many as there is room for. */
static void say_hogs(struct say *s)
{
    struct quoit_g g;

    for (struct m *mp = allm_first(); mp != NULL; mp = mp->alllink) {
        bool hog;

        lock(&mp->lock);
        hog = mp->hog && peek_curg(mp, &g);
        unlock(&mp->lock);
        if (hog && s->n < LOG_BYTES)
            say(s, " %llu", (unsigned long long)g.id);
    }
}

static void tell_too_many(const struct m *mp, const struct p *pp, int64_t now)
{
    struct quoit_g g;
    struct say s;

    if ((hogs.told != 0 && now - hogs.told < tell_ns) || !peek_curg(mp, &g))
        return;
    hogs.told = now;
    say_begin(&s, -1);
    say_who(&s, &g);
    say(&s, " keeps P%u, as these compute too:", pp->id);
    say_hogs(&s);
    log_line(LOG_WARNING, "QUOIT_MAXHOGS=%d goroutines compute without giving way, and others "
                          "wait: %.*s", env.max_hogs, (int)s.n, s.text);
}

void hog_told(struct m *mp)
{
    struct quoit_g g;
    struct say s;
    bool hog;

    if (!godebug(GODEBUG_HOGS))
        return;
    lock(&mp->lock);
    hog = mp->hog && peek_curg(mp, &g);
    unlock(&mp->lock);
    if (!hog || !is_new(g.site, false))
        return;
    say_begin(&s, -1);
    say_who(&s, &g);
    log_line(LOG_WARNING, "%.*s, computes without giving way: its core goes to others, and it "
                          "goes on as a thread beside them", (int)s.n, s.text);
}

void hog_keeps(struct m *mp, const struct p *pp)
{
    struct quoit_g g;
    struct say s;
    bool keeps;

    lock(&mp->lock);
    keeps = mp->keeps && peek_curg(mp, &g);
    unlock(&mp->lock);
    if (!keeps || !is_new(g.site, true))
        return;
    say_begin(&s, -1);
    say_who(&s, &g);
    log_line(LOG_WARNING, "%.*s, computes while it is pinned (quoit_pin, quoit_preempt_disable), "
                          "and others wait for P%u", (int)s.n, s.text, pp->id);
}

/* ---- counting ------------------------------------------------------------------------------- */

static void becomes_locked(struct m *mp, bool hog)
{
    if (hog == mp->hog)
        return;
    mp->hog = hog;
    add_relaxed(&sched.nhogs, hog ? 1 : -1u);
}

void hog_begins(struct m *mp, struct p *pp)
{
    count_add(&pp->count.preempts[RUNG_TAKEN], 1);
    turn_ends(pp);
    lock(&mp->lock);
    /* Its core has other work. */
    if (mp->hog)
        m_loosen(mp);
    unlock(&mp->lock);
}

/* Since the look before, ns ago, its clock has moved by `moved`. One that gets little of a busy
 * machine would run if it could. */
static bool computes(const struct m *mp, int64_t moved, int64_t ns)
{
    if (moved == 0 && !mp->hog)
        return false;
    return moved >= ns / 2 || !thread_sleeps(mp->tid);
}

static void look(struct m *mp, int64_t ns)
{
    int64_t cpu = thread_cputime(load_relaxed(&mp->tid)), before;
    bool hog;

    lock(&mp->lock);
    /* Who is in a marked call has said that it may last. */
    before = mp->lost && load_relaxed(&mp->curg->status) == Grunning ? mp->hogcpu : 0;
    mp->hogcpu = cpu;
    unlock(&mp->lock);
    if (before == 0 || cpu < 0)
        return;
    hog = computes(mp, cpu - before, ns);
    lock(&mp->lock);
    /* It may have come in: then there is nothing to be counted. */
    if (mp->lost && mp->hogcpu == cpu) {
        bool was = mp->hog;

        becomes_locked(mp, hog);
        if (!was)
            /* Its core has other work. */
    if (mp->hog)
        m_loosen(mp);
    }
    unlock(&mp->lock);
    if (hog)
        rungs_ask(mp);
}

static void look_at_all(int64_t now)
{
    int64_t ns = now - hogs.looked;

    hogs.looked = now;
    for (struct m *mp = allm_first(); mp != NULL; mp = mp->alllink)
        look(mp, ns);
}

void hogs_look(int64_t now)
{
    if (load_relaxed(&sched.nlost) > 0 && now - hogs.looked >= LOOK_NS)
        look_at_all(now);
}

bool hog_may_begin(const struct m *mp, const struct p *pp, int64_t now)
{
    uint32_t most = (uint32_t)env.max_hogs;

    if (load_relaxed(&sched.nhogs) < most)
        return true;
    if (now - hogs.looked >= env.quantum)
        look_at_all(now);
    if (load_relaxed(&sched.nhogs) < most)
        return true;
    tell_too_many(mp, pp, now);
    return false;
}
