/* SPDX-License-Identifier: BSD-3-Clause
 * model-quiesce.c - quiesce.c, gstatus.h: a visitor and a goroutine that runs, comes to the door
 * and parks
 *
 * Whatever the order, it is visited once, where it stands, and goes on afterwards. There are no
 * clocks: the pause of the visitor ends once at any moment, and when the goroutine has parked by
 * itself.
 */
#include "explore.h"

#include "cpu.h"
#include "simple-lock.h"

#include "tls.h"

#include <string.h>

#define QUOIT_SCHED_SWITCH_H
#define tls_get() (self == 0 ? (void *)&one : NULL)
/* The end of a pause is told through the note too, and not forgotten. */
#define note_clear(n) ((void)(n))
#define note_wake(n) ((void)xchg_release(&(n)->word, 1))
#define note_sleep(n, deadline) sleep_once(n)

static bool sleep_once(struct note *n)
{
    model_await(SITE("note_sleep", "", IN), &n->word, true);
    (void)xchg_acquire(&n->word, 0);
    return true;
}

#include "gmp.h"

static struct m one;
static struct quoit_g g;
static struct note readied;
static uint64_t context; /* its frames: its own while it runs, the visitor's during the visit */
static int seen;

#include "proc.h"

#include "gstatus.h"

/* Once the stack is left, as finish_park. */
static struct m *park(struct m *mp, int (*unlock)(void *), void *arg,
                      const char *reason unused_arg)
{
    bool waits;

    gstatus_set(&g, Grunning, Gwaiting);
    waits = unlock(arg) != 0;
#ifdef BROKEN_PARK
    waits = true;
#endif
    if (waits)
        sleep_once(&readied);
    else
        gstatus_set(&g, Gwaiting, Grunnable);
    gstatus_set(&g, Grunnable, Grunning);
    return mp;
}

#include "../../sched/gstatus.c"
#include "../../sched/quiesce.c"

void ready(struct m *mp unused_arg, struct quoit_g *gp)
{
    gstatus_set(gp, Gwaiting, Grunnable);
    note_wake(&readied);
}

/* The door stands for itself in model-inside. */
void m_call(struct m *mp, enum want want)
{
    lock(&mp->lock);
    mp->want |= want;
    unlock(&mp->lock);
}

struct m *allm_first(void)
{
    return &one;
}

/* The visitor is a plain thread. */
struct m *timed_wait(struct m *mp, struct timed *t unused_arg, int64_t deadline unused_arg,
                     int (*unlock)(void *) unused_arg, void *arg unused_arg,
                     const char *reason unused_arg)
{
    explore_check(false, "no goroutine waits here");
    return mp;
}

struct m *timed_settle(struct m *mp, struct timed *t unused_arg, const char *reason unused_arg)
{
    explore_check(false, "no goroutine waits here");
    return mp;
}

static void setup(void)
{
    fence_bias = 0;
    memset(&one, 0, sizeof(one));
    g = (struct quoit_g){.status = Grunning};
    one.curg = &g;
    visits = (struct visits){.wanted = NULL};
    readied.word = 0;
    context = 0;
    seen = 0;
    explore_name(&context, "context");
    explore_memory(&one, sizeof(one));
    explore_memory(&visits, sizeof(visits));
}

static void setup_forbidden(void)
{
    setup();
    fence_bias = FENCE_BIT;
    g.scan = fence_bias;
}

static void comes_to_the_door(void)
{
    bool wanted;

    lock(&one.lock);
    wanted = one.want & WANT_VISIT;
    one.want = 0;
    unlock(&one.lock);
    data_write(&context, 1);
    if (wanted)
        give_way(&one);
    data_write(&context, 2);
}

static void parks(void)
{
    data_write(&context, 3);
    gstatus_set(&g, Grunning, Gwaiting);
    note_wake(&visits.note);
}

static void runs_and_parks(void)
{
    comes_to_the_door();
    parks();
}

static void time_passes(void)
{
    note_wake(&visits.note);
}

static int look(const struct quoit_ginfo *info unused_arg, void *arg unused_arg)
{
    seen++;
    data_read(&context);
    return 0;
}

static void visitor(void)
{
    struct visit v = {look, NULL, NULL};

    visit_one(&g, &v);
}

static void was_seen(void)
{
    explore_check(seen == 1, "visited %d times", seen);
    explore_check(g.status == Gwaiting, "it is %s in the end", gstatus_name(g.status));
}

static const struct explore tests[] = {
    {.name = "one parks and is visited", .setup = setup, .thread = {parks, visitor, time_passes},
     .finish = was_seen},
    {.name = "one comes to the door and parks", .setup = setup,
     .thread = {runs_and_parks, visitor, time_passes}, .finish = was_seen},
    {.name = "one comes to the door and parks, no membarrier", .setup = setup_forbidden,
     .thread = {runs_and_parks, visitor, time_passes}, .finish = was_seen},
};

int main(int argc, char **argv)
{
    return explore_main(argc, argv, tests);
}
