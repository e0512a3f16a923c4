/* SPDX-License-Identifier: BSD-3-Clause
 * model-grace.c - grace.c, switch.h, switch.c, join.c: who waits for a grace period, against an
 * M that switches from goroutine to goroutine
 *
 * One takes a thing out of where others find it, waits, and writes over it, as free would. The M
 * looks the thing up and reads it. Each test that needs the fences runs on a machine with
 * membarrier and on one without.
 */
#include "explore.h"

#include "cpu.h"
#include "simple-lock.h"

#include "tls.h"

#include <string.h>

static void *me;
#define tls_get() (me)

#include "../../sched/grace.c"
#include "../../sched/gstatus.c"
#include "../../sched/join.c"
#include "../../sched/switch.c"

static struct m one;
static struct p p;
static struct quoit_g first, second;
static struct stack stk; /* nobody is pinned on it */
static uint32_t linked;
static uint64_t thing;

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

static void setup_with(struct quoit_g *runs_now)
{
    fence_bias = 0;
    memset(&one, 0, sizeof(one));
    memset(&p, 0, offsetof(struct p, runq_slots));
    memset(&first, 0, sizeof(first));
    memset(&second, 0, sizeof(second));
    first.status = second.status = Grunnable;
    first.stk = second.stk = &stk;
    if (runs_now != NULL)
        runs_now->status = Grunning;
    one.p = &p;
    one.curg = runs_now;
    me = &one;
    linked = 1;
    thing = 0;
    explore_name(&thing, "what was unlinked");
}

static void setup_idle(void)
{
    setup_with(NULL);
}

static void setup_runs(void)
{
    setup_with(&first);
}

static void setup_child(void)
{
    setup_with(&second);
    first.status = Gwaiting;
}

static void without_membarrier(void)
{
    fence_bias = FENCE_BIT;
    first.scan = second.scan = fence_bias;
}

static void setup_idle_forbidden(void)
{
    setup_idle();
    without_membarrier();
}

static void setup_runs_forbidden(void)
{
    setup_runs();
    without_membarrier();
}

static void setup_child_forbidden(void)
{
    setup_child();
    without_membarrier();
}

static void reads(void)
{
    if (load_relaxed(&linked))
        data_read(&thing);
}

static void unlinks_and_waits(void)
{
    store_relaxed(&linked, 0);
    call_all(NULL);
    if (has_passed(&one))
        data_write(&thing, 1);
}

/* ---- the M ---- */

static void begins(void)
{
    if (set_running(&one, &second))
        reads();
}

static void reads_and_goes_on(void)
{
    reads();
    set_current(&one, &second);
}

static void reads_and_leaves(void)
{
    reads();
    set_nobody(&one);
}

static int child_reads(void *arg unused_arg)
{
    reads();
    return 0;
}

static void joins_in_place(void)
{
    second.fn = child_reads;
    second.host = &first;
    begin_inplace(&second);
}

/* The child finds nothing: this is about what was read before. */
static void reads_and_joins(void)
{
    reads();
    second.fn = child_reads;
    second.host = &first;
    store_relaxed(&linked, 0);
    begin_inplace(&second);
}

static void child_ends(void)
{
    reads();
    second.host = &first;
    inplace_ended(&one, &second);
}

static void joiner_goes_on(void)
{
    second.host = &first;
    inplace_ended(&one, &second);
    reads();
}

static void reads_in_a_call(void)
{
    reads();
    gstatus_set(&first, Grunning, Gsyscall);
}

static void comes_in(void)
{
    reads();
    lock(&one.lock);
    one.want = 0;
    unlock(&one.lock);
}

static const struct explore tests[] = {
    {.name = "one begins", .setup = setup_idle, .thread = {begins, unlinks_and_waits}},
    {.name = "one begins, no membarrier", .setup = setup_idle_forbidden,
     .thread = {begins, unlinks_and_waits}},
    {.name = "a child begins in place", .setup = setup_runs,
     .thread = {joins_in_place, unlinks_and_waits}},
    {.name = "a child begins in place, no membarrier", .setup = setup_runs_forbidden,
     .thread = {joins_in_place, unlinks_and_waits}},
    {.name = "one gives way to another", .setup = setup_runs,
     .thread = {reads_and_goes_on, unlinks_and_waits}},
    {.name = "one gives way to none", .setup = setup_runs,
     .thread = {reads_and_leaves, unlinks_and_waits}},
    {.name = "one joins in place", .setup = setup_runs,
     .thread = {reads_and_joins, unlinks_and_waits}},
    {.name = "a child ends in place", .setup = setup_child,
     .thread = {child_ends, unlinks_and_waits}},
    {.name = "its joiner goes on", .setup = setup_child,
     .thread = {joiner_goes_on, unlinks_and_waits}},
    {.name = "its joiner goes on, no membarrier", .setup = setup_child_forbidden,
     .thread = {joiner_goes_on, unlinks_and_waits}},
    {.name = "one goes into a marked call", .setup = setup_runs,
     .thread = {reads_in_a_call, unlinks_and_waits}},
    {.name = "one comes to the door", .setup = setup_runs,
     .thread = {comes_in, unlinks_and_waits}},
};

int main(int argc, char **argv)
{
    return explore_main(argc, argv, tests);
}
