/* SPDX-License-Identifier: BSD-3-Clause
 * model-join.c - join.c, newproc.c: the end of a child meets its release
 *
 * Its record is given back by exactly one of the two, when the other is through with it. How its
 * end meets a joiner is in model-timer.c.
 */
#include "explore.h"

#include "simple-park.h"

#include "gfree.h"

static struct quoit_g *given_back;
static uint64_t record; /* stands for all of the child's record that is plain */

#define gfput(pp, gp) ((void)(pp), give_back(gp))
static void give_back(struct quoit_g *gp)
{
    explore_check(given_back == NULL, "the record was given back twice");
    given_back = gp;
    data_write(&record, 3);
}

void gfput_shared(struct quoit_g *gp)
{
    give_back(gp);
}

#include "../../sched/gstatus.c"
#include "../../sched/join.c"
#include "../../sched/newproc.c"

static struct quoit_g *child = &simple_gs[1];

static void setup(void)
{
    simple_setup();
    child->flags = G_JOINABLE | G_BIG;
    record = 0;
    given_back = NULL;
    explore_memory(&given_back, sizeof(given_back));
    explore_name(&record, "record");
}

static void releases(void)
{
    release(&simple_ms[0], child);
}

static void ends(void)
{
    data_write(&record, 2);
    g_ended(&simple_ms[1], child, 7);
}

static void once(void)
{
    explore_check(given_back == child, "the record was not given back");
}

static const struct explore tests[] = {
    {.name = "one releases, one ends", .setup = setup, .thread = {releases, ends},
     .finish = once},
};

int main(int argc, char **argv)
{
    return explore_main(argc, argv, tests);
}
