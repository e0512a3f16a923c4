/* SPDX-License-Identifier: BSD-3-Clause
 * model-inside.c - proc.h, syscall.c, m.c: an M at its door, and who calls it or takes its P
 *
 * Taking a P is not written yet; what is explored is the entry and the exit that ship
 * against the taker that they are made for: revoked = 1, a heavy fence, inside = 0?
 */
#include "explore.h"

#include "cpu.h"
#include "simple-lock.h"

#include "tls.h"

static void *me;
#define tls_get() (me)

#include "../../sched/m.c"
#include "../../sched/syscall.c"

static struct m mp;
static uint64_t plain; /* what the P protects */
static uint32_t came_in;

/* Where an M goes that has been called. */
struct m *switch_to_g0(struct m *m unused_arg, enum after after unused_arg)
{
    store_relaxed(&came_in, 1);
    return NULL;
}

void netpoll_wake(struct m *m unused_arg)
{
}

static void setup(void)
{
    fence_bias = 0;
    memset(&mp, 0, sizeof(mp));
    memset(&sched, 0, sizeof(sched));
    sched.allm = &mp;
    me = &mp;
    plain = 0;
    came_in = 0;
    explore_name(&plain, "what the P protects");
}

static void setup_forbidden(void)
{
    setup();
    fence_bias = FENCE_BIT;
    mp.revoked = fence_bias;
}

static void works(void)
{
    if (enter() == NULL)
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

static void takes(void)
{
    store_relaxed(&sched.stopping, 1);
    m_wake_all();
    fence_heavy();
    /* order INSIDE in: what was done inside is seen; out: leave */
    if (load_acquire(&mp.inside) == 0)
        data_write(&plain, 2);
}

static void calls(void)
{
    store_relaxed(&sched.stopping, 1);
    m_wake_all();
}

static void looks(void)
{
    if (enter() != NULL)
        leave(&mp);
}

static void not_lost(void)
{
    explore_check(came_in || mp.revoked == (fence_bias | 1), "called, and the call is lost");
}

static const struct explore tests[] = {
    {.name = "one enters, one takes", .setup = setup, .thread = {works, takes}},
    {.name = "one enters twice, one takes", .setup = setup, .thread = {works_twice, takes}},
    {.name = "one enters, one takes, no membarrier", .setup = setup_forbidden,
     .thread = {works, takes}},
    {.name = "one enters, one calls", .setup = setup, .thread = {looks, calls},
     .finish = not_lost},
    {.name = "one enters, one calls, no membarrier", .setup = setup_forbidden,
     .thread = {looks, calls}, .finish = not_lost},
};

int main(int argc, char **argv)
{
    return explore_main(argc, argv, tests);
}
