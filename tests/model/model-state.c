/* SPDX-License-Identifier: BSD-3-Clause
 * model-state.c - init.c, m.c: start, end, threads that are not ours, and waiting for the
 * last goroutine
 */
#include "explore.h"

#include "cpu.h"
#include "simple-lock.h"

#include "../../sched/idle.c"
#include "../../sched/m.c"

/* What runs goroutines is not what this is about. */
#define m_start(pp, spinning) ((void)(pp), (void)(spinning), 0)
#include "../../sched/init.c"

static uint64_t all;    /* stands for all that a start makes and an end undoes */
static uint32_t left;   /* goroutines that have not ended */
static bool is_drained; /* what drain said */
static struct m idler;
static struct note never;

/* ---- the rows of the table ---- */

struct env env;

int copies_claim(void)
{
    data_write(&all, data_read(&all) + 1);
    return 0;
}

void copies_drop(void)
{
    data_write(&all, data_read(&all) + 1);
}

#define NOTHING_UP(name)  \
    int name(void)        \
    {                     \
        return 0;         \
    }
#define NOTHING_DOWN(name) \
    void name(void)        \
    {                      \
    }

NOTHING_UP(topo_load)
NOTHING_DOWN(topo_unload)
NOTHING_UP(bind_save)
NOTHING_DOWN(bind_forget)
NOTHING_UP(children_install)
NOTHING_DOWN(children_remove)
NOTHING_UP(foreign_init)
NOTHING_UP(fork_init)
NOTHING_UP(topo_procs)
NOTHING_DOWN(p_fini)
NOTHING_DOWN(gfree_fini)
NOTHING_UP(stack_init)
NOTHING_DOWN(stack_fini)
NOTHING_UP(block_init)
NOTHING_UP(deferred_init)
NOTHING_DOWN(deferred_fini)
NOTHING_UP(quiesce_init)
NOTHING_UP(grace_init)
NOTHING_UP(overflow_init)
NOTHING_DOWN(overflow_fini)
NOTHING_UP(sigquit_init)
NOTHING_DOWN(sigquit_fini)
NOTHING_DOWN(netpoll_fini)

bool netpoll_over(void)
{
    return true;
}

bool block_end(int64_t grace_ns unused_arg)
{
    return true;
}

int p_init(uint32_t n unused_arg)
{
    static struct p *allp[1];

    sched.allp = allp;
    return 0;
}

int netpoll_init(int nprocs unused_arg)
{
    return 0;
}

enum bind_mode place_mode(enum bind_mode mode, int n unused_arg)
{
    return mode;
}

int env_load(const struct quoit_options *options unused_arg)
{
    return 0;
}

int num_goroutine(void)
{
    return (int)load_relaxed(&left);
}

void netpoll_sleep(struct m *mp unused_arg, int64_t deadline unused_arg)
{
    note_sleep(&never, INT64_MAX);
}

/* No M runs here but the one that goes idle, and that one for good. */
#define NEVER explore_check(false, "%s: not to be called", __func__)

void netpoll_wake(struct m *mp unused_arg)
{
    NEVER;
}

void netpoll_reap(struct m *mp unused_arg, struct glist *list unused_arg)
{
    NEVER;
}

void injectglist(struct m *mp unused_arg, struct glist *list unused_arg)
{
    NEVER;
}

void acquirep(struct m *mp unused_arg, struct p *pp unused_arg)
{
    NEVER;
}

struct p *pidleget_locked(struct p *near unused_arg)
{
    return NULL;
}

/* ---- start and end ---- */

static void setup_off(void)
{
    memset(&sched, 0, sizeof(sched));
    state = OFF;
    shutting = foreigners = 0;
    all = 0;
    fence_bias = 0;
    explore_name(&all, "all that was made");
}

static void setup_on(void)
{
    setup_off();
    state = ON;
}

static void starts(void)
{
    quoit_init(NULL);
}

static void ends(void)
{
    end();
}

static void visits(void)
{
    if (!foreign_enter())
        return;
    data_read(&all);
    foreign_leave();
}

/* ---- the last goroutine ---- */

static void setup_one_left(void)
{
    setup_on();
    left = 1;
    is_drained = false;
    idler = (struct m){.id = 1};
    never.word = 0;
}

/* With membarrier one side's fence would do for both. */
static void setup_forbidden(void)
{
    setup_one_left();
    fence_bias = FENCE_BIT;
}

static void drains(void)
{
    is_drained = drain(INT64_MAX);
}

/* The last one ended here; the fence is that of second_look. */
static void goes_idle(void)
{
    store_relaxed(&left, 0);
    fence_heavy();
    stopm(&idler);
}

static void drained(void)
{
    explore_check(is_drained, "who waits for the last goroutine was not told of its end");
}

static const struct explore tests[] = {
    {.name = "one starts, one visits", .setup = setup_off, .thread = {starts, visits}},
    {.name = "one ends, one visits", .setup = setup_on, .thread = {ends, visits}},
    {.name = "one ends, one starts again", .setup = setup_on, .thread = {ends, starts}},
    {.name = "one waits for the last, which ends", .setup = setup_one_left,
     .thread = {drains, goes_idle}, .finish = drained, .may_sleep = true},
    {.name = "one waits for the last, which ends, no membarrier", .setup = setup_forbidden,
     .thread = {drains, goes_idle}, .finish = drained, .may_sleep = true},
};

int main(int argc, char **argv)
{
    return explore_main(argc, argv, tests);
}
