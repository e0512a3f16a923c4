/* SPDX-License-Identifier: BSD-3-Clause
 * model-inside.c - proc.h, syscall.c: an M at its door, and who calls it or takes its P
 */
#include "explore.h"

#include "cpu.h"
#include "simple-lock.h"

#include "tls.h"

#include <string.h>

static void *me;
#define tls_get() (me)

#include "../../sched/syscall.c"

static struct m mp, other;
static struct p p;
static struct quoit_g g;
static struct stack stk;
static uint64_t plain; /* what the P protects */
static uint32_t came_in;

/* Where an M goes that has been called, or has no P. */
struct m *switch_to_g0(struct m *m unused_arg, enum after after unused_arg)
{
    store_relaxed(&came_in, 1);
    return &other;
}

struct p *pidleget_locked(struct p *near unused_arg)
{
    return NULL;
}

void gstatus_scanned(struct quoit_g *gp unused_arg)
{
}

struct p *releasep(struct m *m)
{
    m->p = NULL;
    store_relaxed(&p.m, NULL);
    return &p;
}

/* Given away by itself: it counts as stopped. */
void handoffp(struct p *pp unused_arg)
{
}

static void setup(void)
{
    fence_bias = 0;
    memset(&mp, 0, sizeof(mp));
    memset(&p, 0, offsetof(struct p, runq_slots));
    memset(&g, 0, sizeof(g));
    memset(&sched, 0, sizeof(sched));
    sched.allm = &mp;
    mp.p = mp.lastp = &p;
    mp.curg = &g;
    g.stk = &stk;
    p.m = &mp;
    g.status = Grunning;
    me = &mp;
    plain = 0;
    came_in = 0;
    explore_name(&plain, "what the P protects");
}

static void setup_forbidden(void)
{
    setup();
    fence_bias = FENCE_BIT;
    mp.revoked = g.scan = fence_bias;
}

/* In a marked call, and the world is being stopped: who is in one still counts as stopped. */
static void setup_marked(void)
{
    setup();
    g.status = Gsyscall;
    sched.gcwaiting = 1;
}

static void setup_marked_forbidden(void)
{
    setup_forbidden();
    g.status = Gsyscall;
    sched.gcwaiting = 1;
}

/* The world is being stopped. */
static void setup_called(void)
{
    setup();
    sched.gcwaiting = 1;
}

static void setup_called_forbidden(void)
{
    setup_forbidden();
    sched.gcwaiting = 1;
}

static void works(void)
{
    if (enter() != &mp)
        return;
    data_write(&plain, 1);
    leave(&mp);
}

static void works_twice(void)
{
    works();
    if (!came_in)
        works();
}

/* What user code does after the call is no business of the P, but of who has stopped the world. */
static void comes_back(void)
{
    quoit_syscall_exit();
    if (!came_in)
        data_write(&plain, 1);
}

/* Into a marked call that may last for ever. */
static void goes_out(void)
{
    if (enter() == &mp)
        outside_begins(&mp, "", false);
}

static void takes(void)
{
    m_call(&mp, WANT_P);
    fence_heavy();
    if (m_take(&mp, false) != NULL)
        data_write(&plain, 2);
}

static void calls(void)
{
    store_relaxed(&sched.stopping, 1);
    m_call(&mp, 0);
}

/* What is submitted for it is its own as much as what the P protects. */
void netpoll_flush_for(struct m *m2 unused_arg)
{
    data_write(&plain, 3);
}

void netpoll_mail(struct m *m unused_arg)
{
}

static void submits(void)
{
    m_flush(&mp);
}

static void looks(void)
{
    if (enter() == &mp)
        leave(&mp);
}

static void not_lost(void)
{
    explore_check(came_in || mp.revoked == (fence_bias | 1), "called, and the call is lost");
}

/* It is held by its M, or taken; and who has lost it has been told, or will be. */
static void one_holder(void)
{
    explore_check((mp.p == &p) == (p.m == &mp), "the M and the P do not agree");
    explore_check(mp.p == &p || came_in || (mp.revoked & 1), "taken, and the M goes on");
}

static void not_kept(void)
{
    explore_check(came_in || mp.p == NULL, "in a marked call, and the stop waits for it");
}

static const struct explore tests[] = {
    {.name = "one enters, one takes", .setup = setup, .thread = {works, takes},
     .finish = one_holder},
    {.name = "one enters twice, one takes", .setup = setup, .thread = {works_twice, takes},
     .finish = one_holder},
    {.name = "one enters, one takes, no membarrier", .setup = setup_forbidden,
     .thread = {works, takes}, .finish = one_holder},
    {.name = "one comes back from a marked call, one takes", .setup = setup_marked,
     .thread = {comes_back, takes}, .finish = one_holder},
    {.name = "one comes back from a marked call, one takes, no membarrier",
     .setup = setup_marked_forbidden, .thread = {comes_back, takes}, .finish = one_holder},
    {.name = "one begins a marked call, one takes", .setup = setup_called,
     .thread = {goes_out, takes}, .finish = not_kept},
    {.name = "one begins a marked call, one takes, no membarrier",
     .setup = setup_called_forbidden, .thread = {goes_out, takes}, .finish = not_kept},
    {.name = "one enters twice, one submits for it", .setup = setup,
     .thread = {works_twice, submits}, .finish = one_holder},
    {.name = "one enters, one submits for it, no membarrier", .setup = setup_forbidden,
     .thread = {works, submits}, .finish = one_holder},
    {.name = "one enters, one calls", .setup = setup, .thread = {looks, calls},
     .finish = not_lost},
    {.name = "one enters, one calls, no membarrier", .setup = setup_forbidden,
     .thread = {looks, calls}, .finish = not_lost},
};

int main(int argc, char **argv)
{
    return explore_main(argc, argv, tests);
}
