/* SPDX-License-Identifier: BSD-3-Clause
 * model-runq.c - runq.h: each goroutine is taken exactly once, whole, whoever takes it
 *
 * The ring has two slots, so that they are reused at once.
 */
#include "explore.h"

#include "gmp.h"
#define RUNQ_SIZE 2
#include "runq.h"

#include "takers.h"

static struct runq q;
static struct quoit_g *slots[RUNQ_SIZE];

static void setup(void)
{
    q = (struct runq){.slot = slots};
    for (int i = 0; i < RUNQ_SIZE; i++)
        slots[i] = NULL;
    takers_setup();
}

static void setup_one_put(void)
{
    setup();
    body[0] = 1;
    runq_put(&q, &g[0]);
}

static void setup_late(void)
{
    setup_one_put();
    explore_late(slots, sizeof(slots));
}

static void setup_next(void)
{
    setup();
    body[0] = 1;
    runq_put_next(&q, &g[0]);
}

static void all_once(void)
{
    struct quoit_g *gp;

    while ((gp = runq_get(&q)) != NULL)
        take_rest(gp);
    gp = runq_get_next(&q);
    if (gp)
        take_rest(gp);
    each_once();
}

static void put(int i)
{
    data_write(&body[i], 1);
    while (!runq_put(&q, &g[i]))
        take(0, runq_get(&q));
    done(0, i);
}

static void grab(int thread)
{
    struct quoit_g *out[RUNQ_SIZE];
    uint32_t n = runq_grab(&q, out, RUNQ_SIZE);

    for (uint32_t i = 0; i < n; i++)
        take(thread, out[i]);
    done(thread, 1);
}

/* ---- the ring ---- */

static void owner_puts(void)
{
    put(1);
    put(2);
    put(3);
}

static void owner_puts_two(void)
{
    put(1);
    put(2);
}

static void owner_puts_and_gets(void)
{
    put(1);
    take(0, runq_get(&q));
    done(0, 8);
    put(2);
    take(0, runq_get(&q));
}

static void thief1(void)
{
    grab(1);
}

static void thief1_twice(void)
{
    grab(1);
    grab(1);
}

static void thief2(void)
{
    grab(2);
}

/* ---- next ---- */

static void put_next(int i)
{
    struct quoit_g *old;

    data_write(&body[i], 1);
    old = runq_put_next(&q, &g[i]);
    while (old && !runq_put(&q, old))
        take(0, runq_get(&q));
}

static void owner_next(void)
{
    put_next(1);
    put_next(2);
    take(0, runq_get_next(&q));
}

static void owner_takes_next(void)
{
    take(0, runq_get_next(&q));
    put_next(1);
}

static void thief_next(void)
{
    struct quoit_g *seen = load_relaxed(&q.next);

    if (runq_grab_next(&q, seen))
        take(1, seen);
}

static void thief_next_any(void)
{
    take(2, runq_get_next(&q));
}

/* ---- empty ---- */

static void setup_alone(void)
{
    setup_next();
    q.alone = true;
}

static void owner_turns(void)
{
    runq_put(&q, runq_put_next(&q, &g[1]));
    runq_get_next(&q);
    explore_state(1);
    runq_put_next(&q, &g[1]);
    runq_get(&q);
    explore_state(2);
    runq_put(&q, runq_put_next(&q, &g[0]));
    runq_get_next(&q);
}

static void looker(void)
{
    explore_check(!runq_empty(&q), "the queue looked empty");
}

static const struct explore tests[] = {
    {.name = "one owner, one thief that comes twice: a slot is used again", .setup = setup_late,
     .thread = {owner_puts, thief1_twice}, .finish = all_once},
    {.name = "two thieves race for the head", .setup = setup_one_put,
     .thread = {owner_puts_two, thief1, thief2}, .finish = all_once},
    {.name = "put, get and two thieves", .setup = setup_one_put,
     .thread = {owner_puts_and_gets, thief1, thief2}, .finish = all_once},
    {.name = "next: filled twice, a thief takes what it saw", .setup = setup_next,
     .thread = {owner_next, thief_next, thief_next_any}, .finish = all_once},
    {.name = "next: taken by the owner and two thieves", .setup = setup_next,
     .thread = {owner_takes_next, thief_next, thief_next_any}},
    {.name = "never falsely empty", .setup = setup_next, .thread = {owner_turns, looker}},
    {.name = "never falsely empty, where nobody steals", .setup = setup_alone,
     .thread = {owner_turns, looker}},
};

int main(int argc, char **argv)
{
    return explore_main(argc, argv, tests);
}
