/* SPDX-License-Identifier: BSD-3-Clause
 * model-world.c - world.c, m.c, p.c: what is done before a stop, the shares of a parallel phase,
 * and M's and P's that others find
 */
#include "explore.h"

#include "cpu.h"
#include "simple-lock.h"

#include "gmp.h"

#include <stdlib.h>

static struct m spare;
#define aligned_alloc(align, size) ((void)(align), (void)(size), (void *)&spare)

#include "../../sched/m.c"
#include "../../sched/p.c"
#include "../../sched/world.c"

static struct p one;
static struct p *all[1];
static uint64_t plain[2];
static uint32_t phases;

void *mem_reserve(size_t bytes unused_arg, size_t align unused_arg, int node unused_arg)
{
    return &one;
}

int place_make(int n unused_arg, struct place *out unused_arg)
{
    return 0;
}

int order_make(const struct topo *t unused_arg, const struct place *places unused_arg,
               int n unused_arg, struct order *out unused_arg)
{
    return 0;
}

void order_free(struct order *o unused_arg)
{
}

const struct topo *topo_get(void)
{
    return NULL;
}

void netpoll_wake(struct m *mp unused_arg)
{
}

static void setup(void)
{
    static struct place places[1];
    static struct node node;

    memset(&sched, 0, sizeof(sched));
    memset(&spare, 0, sizeof(spare));
    memset(&one, 0, offsetof(struct p, runq_slots));
    sched.allp = all;
    sched.places = places;
    sched.nodes = &node;
    sched.maxm = 10;
    plain[0] = plain[1] = 0;
    phases = 0;
    explore_name(&plain[0], "what was done");
    explore_name(&plain[1], "the share");
}

/* ---- a stop ---- */

static void setup_stop(void)
{
    setup();
    sched.stopwait = 1;
}

static void comes_in(void)
{
    data_write(&plain[0], 1);
    stopped(NULL);
}

static void stops(void)
{
    if (wait_stopped(INT64_MAX))
        data_write(&plain[0], 2);
}

/* ---- a parallel phase ---- */

static void setup_phase(void)
{
    setup();
    sched.idlem = &spare;
    sched.nprocs = 2;
}

static void share(int i, int n unused_arg, void *arg unused_arg)
{
    if (i == 1)
        data_write(&plain[1], data_read(&plain[0]));
}

/* What a phase is described by stands for itself in plain[0]. */
static void has_helpers(void)
{
    data_write(&plain[0], 1);
    world.owner = (uint32_t)os_gettid();
    quoit_world_parallel(share, NULL);
    data_write(&plain[1], 7);
}

static void helps(void)
{
    world_help(&spare);
}

/* ---- what others find ---- */

static void makes_m(void)
{
    data_write(&plain[0], 1);
    m_record_locked();
}

static void finds_m(void)
{
    if (allm_first() != NULL)
        data_read(&plain[0]);
}

static void makes_p(void)
{
    data_write(&plain[0], 1);
    make_procs(1);
}

static void finds_p(void)
{
    if (nallp() > 0)
        data_read(&plain[0]);
}

static const struct explore tests[] = {
    {.name = "one comes in, one waits", .setup = setup_stop, .thread = {comes_in, stops}},
    {.name = "one shares out, one helps", .setup = setup_phase, .thread = {has_helpers, helps},
     .may_sleep = true},
    {.name = "an M is made, one looks", .setup = setup, .thread = {makes_m, finds_m}},
    {.name = "a P is made, one looks", .setup = setup, .thread = {makes_p, finds_p}},
};

int main(int argc, char **argv)
{
    return explore_main(argc, argv, tests);
}
