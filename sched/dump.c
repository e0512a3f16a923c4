/* SPDX-License-Identifier: BSD-3-Clause
 * dump.c - all P's, M's and goroutines, as text
 *
 * One goroutine at a time: held by a scan in whatever state it is, its record and the addresses
 * on its stack are copied, it is let go, and only then the text is made and written. So all that
 * is said of one goroutine was true at one moment, and no one waits for a slow reader. P's and M's
 * are schedtrace.c's.
 *
 * A goroutine that runs on another thread has no stack that could be looked at. One whose record
 * another scanner holds for long (a visitor that calls quoit_dump) is told of without its stack.
 *
 * When the program dies nobody is let go any more. Locks may be held by the very thread that dies,
 * so they are tried for a while only, and an alarm ends a dump that stands still.
 */
#include "dump.h"

#include "cpu.h"

#include "gfree.h"
#include "gstatus.h"
#include "proc.h"
#include "say.h"
#include "schedtrace.h"
#include "throw.h"
#include "traceback.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <unistd.h>

/* How long another scanner, and another dump, are waited for. */
static const int64_t hold_ns = 10 * INT64_C(1000000);
static const int64_t dying_lock_ns = INT64_C(1000000000);
enum { STILL_SECONDS = 10 };

static struct lock dumping;

struct dump {
    struct say say;
    enum dump_which which;
    bool frozen;               /* the program ends: everybody is held already */
    const struct quoit_g *self; /* told of before, NULL: nobody */
};

/* One goroutine at one moment. */
struct look {
    struct quoit_g g;
    uint32_t state;
    bool traced;
    struct trace trace;
};

/* ---- looking -------------------------------------------------------------------------------- */

static bool is_there(uint32_t state)
{
    return state != Gidle && state != Gdead;
}

/* Holds gp in the state that it is in; false: it has ended, or somebody else does not let go, and
 * then *state is what it was last. */
static bool hold(const struct dump *d, struct quoit_g *gp, uint32_t *state)
{
    int64_t deadline = 0;

    for (int spins = 0;; spins++) {
        /* order G-OFF in: in that state its context is saved; out: gstatus_set */
        *state = load_acquire(&gp->status);
        if (!is_there(*state))
            return false;
        if (d->frozen || gscan_begin(gp, *state))
            return true;
        if (spins < 100) {
            cpu_relax();
            continue;
        }
        if (deadline == 0)
            deadline = nanotime() + hold_ns;
        else if (nanotime() > deadline)
            return false;
        os_yield();
    }
}

static bool started(const struct quoit_g *g, uint32_t state)
{
    return state != Grunnable || g->stk != NULL;
}

/* False: there is no such goroutine now. */
static bool look_at(const struct dump *d, struct quoit_g *gp, struct look *look)
{
    bool held = hold(d, gp, &look->state);

    look->traced = false;
    if (!is_there(look->state))
        return false;
    peek(&look->g, gp, sizeof look->g);
    if (held && (look->state == Grunnable || look->state == Gwaiting) &&
        started(&look->g, look->state)) {
        trace_parked(&look->trace, &look->g.ctx, look->g.stk);
        look->traced = true;
    }
    if (held && !d->frozen)
        gscan_end(gp);
    return true;
}

/* The caller's own: nobody else changes its state. */
static void look_at_self(struct quoit_g *gp, struct look *look, const void *from)
{
    peek(&look->g, gp, sizeof look->g);
    look->state = Grunning;
    look->traced = true;
    trace_running(&look->trace, from);
}

/* ---- a goroutine ---------------------------------------------------------------------------- */

static void say_name(struct say *s, const char *name)
{
    char clean[GNAME_MAX];
    size_t n = 0;

    for (; n < sizeof clean - 1 && name[n] != '\0'; n++)
        clean[n] = name[n] < ' ' || name[n] == '"' || name[n] == '\x7f' ? '?' : name[n];
    clean[n] = '\0';
    say(s, " \"%s\"", clean);
}

static void say_age(struct say *s, uint32_t ms)
{
    if (ms >= 60000)
        say(s, ", %u minutes", ms / 60000);
    else
        say(s, ", %u.%03u s", ms / 1000, ms % 1000);
}

static void say_head(struct say *s, const struct quoit_g *g, uint32_t state)
{
    say(s, "goroutine %llu", (unsigned long long)g->id);
    if (g->flags & G_NAMED)
        say_name(s, g->name);
    say(s, " [%s", state == Gwaiting && g->reason != NULL ? g->reason : gstatus_name(state));
    if (state == Gwaiting)
        say_age(s, load_relaxed(&sched.coarse) - g->since);
    if (!started(g, state))
        say(s, ", not started");
    if (g->flags & G_INPLACE)
        say(s, ", on the stack of goroutine %llu", goid_of(g->host));
    if (g->lockedm != NULL && g->flags & G_LOCKED)
        say(s, ", locked to thread");
    say(s, "]:\n");
}

static void say_look(struct say *s, const struct look *look, enum dump_which which)
{
    const struct quoit_g *g = &look->g;
    /* hint: of one that has just been started with a copied argument it may be part of that */
    const void *site = started(g, look->state) ? g->site : g->born;

    say_head(s, g, look->state);
    if (look->traced) {
        trace_say(s, &look->trace, which == DUMP_EVERY);
    } else if (!started(g, look->state)) {
        say(s, "    ");
        place_say(s, (uintptr_t)g->fn);
        say(s, "\n");
    } else if (look->state == Grunning || look->state == Gsyscall) {
        say(s, "    goroutine running on other thread; stack unavailable\n");
    } else {
        say(s, "    goroutine held by another scanner; stack unavailable\n");
    }
    if (site != NULL) {
        say(s, "created by ");
        place_say(s, (uintptr_t)site - 1);
        say(s, "\n");
    }
    say(s, "\n");
    say_flush(s);
}

static int say_one(struct quoit_g *gp, void *arg)
{
    struct dump *d = arg;
    struct look look;

    if (gp == d->self || !look_at(d, gp, &look))
        return 0;
    if (look.g.flags & G_SYSTEM && d->which == DUMP_USER)
        return 0;
    if (d->frozen)
        alarm(STILL_SECONDS);
    say_look(&d->say, &look, d->which);
    return d->say.error;
}

/* The running goroutine, if any: first, and by its own stack. */
static noinline void say_self(struct dump *d, const void *from)
{
    struct m *mp = m_get();
    struct quoit_g *gp = mp != NULL ? mp->curg : NULL;
    struct look look;

    if (gp == NULL)
        return;
    d->self = gp;
    look_at_self(gp, &look, from);
    say_look(&d->say, &look, d->which);
}

/* ---- dumps of a program that goes on -------------------------------------------------------- */

int dump_goroutines(int fd, enum dump_which which)
{
    struct dump d = { .which = which };

    say_begin(&d.say, fd);
    lock(&dumping);
    allgs(say_one, &d);
    unlock(&dumping);
    return d.say.error;
}

int dump_all(int fd, enum dump_which which, const void *from)
{
    struct dump d = { .which = which };

    say_begin(&d.say, fd);
    lock(&dumping);
    say_sched(&d.say, true);
    say(&d.say, "\n");
    say_self(&d, from);
    if (d.say.error == 0)
        allgs(say_one, &d);
    unlock(&dumping);
    return d.say.error;
}

/* ---- and of one that ends ------------------------------------------------------------------- */

static void stands_still(int sig unused_arg)
{
    stderr_line("the dump stood still for %d seconds: the rest is left out", STILL_SECONDS);
    _exit(EXIT_THROW);
}

static void watch(void)
{
    struct sigaction sa = { .sa_handler = stands_still };
    sigset_t it;

    sigaction(SIGALRM, &sa, NULL);
    sigemptyset(&it);
    sigaddset(&it, SIGALRM);
    pthread_sigmask(SIG_UNBLOCK, &it, NULL);
    alarm(STILL_SECONDS);
}

static int freeze1(struct quoit_g *gp, void *arg unused_arg)
{
    uint32_t seen = load_relaxed(&gp->scan);

    /* hint: the fence for all of them follows */
    while (!cas_relaxed(&gp->scan, &seen, seen | 1))
        ;
    return 0;
}

/* Who comes in does not go on. No lock is taken: its holder may be who dies. */
static void freeze_threads(void)
{
    const struct m *self = m_get();

    store_relaxed(&sched.gcwaiting, 1);
    /* order ALLM in: what is found is whole; out: m_record_locked */
    for (struct m *mp = load_acquire(&sched.allm); mp != NULL; mp = mp->alllink)
        if (mp != self)
            store_relaxed(&mp->revoked, fence_bias | 1);
}

/* Records that are dead are held too: none of them comes to life. */
static void freeze(void)
{
    int64_t deadline = nanotime() + dying_lock_ns;

    freeze_threads();
    while (!trylock(&dumping) && nanotime() < deadline)
        os_yield();
    allgs(freeze1, NULL);
    /* order SCAN full: everybody is held before a state is read; in: gstatus_set */
    fence_heavy();
}

void dump_asleep(enum traceback level)
{
    struct dump d = { .which = level >= TRACEBACK_SYSTEM ? DUMP_EVERY : DUMP_USER };

    if (level == TRACEBACK_NONE)
        return;
    watch();
    say_begin(&d.say, STDERR_FILENO);
    freeze();
    d.frozen = true;
    allgs(say_one, &d);
    alarm(0);
}

void dump_dying(enum traceback level, bool summary, const void *from)
{
    struct dump d = { .which = level >= TRACEBACK_SYSTEM ? DUMP_EVERY : DUMP_USER };

    if (level == TRACEBACK_NONE)
        return;
    watch();
    say_begin(&d.say, STDERR_FILENO);
    if (level >= TRACEBACK_ALL) {
        freeze();
        d.frozen = true;
        if (summary) {
            say_sched(&d.say, true);
            say(&d.say, "\n");
        }
    }
    say_self(&d, from);
    if (d.self == NULL) {
        struct trace t;

        say(&d.say, "thread %d [outside goroutines]:\n", os_gettid());
        trace_running(&t, from);
        trace_say(&d.say, &t, true);
        say(&d.say, "\n");
        say_flush(&d.say);
    }
    if (level >= TRACEBACK_ALL)
        allgs(say_one, &d);
    alarm(0);
}
