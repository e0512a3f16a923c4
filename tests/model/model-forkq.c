/* SPDX-License-Identifier: BSD-3-Clause
 * model-forkq.c - forkq.h: each unstarted goroutine is taken exactly once, whole, from
 * either end
 *
 * The ring has two slots. The hard case is a pop and a put between a thief's look and
 * its step: both ends are where they were and a slot holds another goroutine.
 */
#include "explore.h"

#include "gmp.h"
#define FORKQ_SIZE 2
#ifdef BROKEN_PUT
#define forkq_put forkq_put_that_ships
#endif
#include "forkq.h"
#ifdef BROKEN_PUT
#undef forkq_put
#include BROKEN_PUT
#endif

#include "takers.h"

static struct forkq q;
static struct quoit_g *slots[FORKQ_SIZE];

static void setup(void)
{
    q = (struct forkq){.slot = slots};
    for (int i = 0; i < FORKQ_SIZE; i++)
        slots[i] = NULL;
    takers_setup();
    body[0] = 1;
    forkq_put(&q, &g[0]);
}

static void setup_late(void)
{
    setup();
    explore_late(slots, sizeof(slots));
}

static bool put(int i)
{
    bool fits;

    data_write(&body[i], 1);
    fits = forkq_put(&q, &g[i]);
    if (!fits)
        taken[0][i]++; /* the caller keeps it */
    done(0, i);
    return fits;
}

static void pop(bool newest, int operation)
{
    take(0, forkq_pop(&q, newest));
    done(0, operation);
}

static void grab(int thread)
{
    struct quoit_g *out[FORKQ_SIZE];
    uint32_t n = forkq_grab(&q, out, FORKQ_SIZE);

    for (uint32_t i = 0; i < n; i++)
        take(thread, out[i]);
    done(thread, 1);
}

static void all_once(void)
{
    struct quoit_g *gp;

    while ((gp = forkq_pop(&q, true)) != NULL)
        take_rest(gp);
    each_once();
}

static void owner_newest(void)
{
    put(1);
    pop(true, 8);
    put(2);
    pop(true, 9);
    put(3);
}

static void owner_oldest(void)
{
    put(1);
    pop(false, 8);
    put(2);
    pop(true, 9);
}

static void owner_this(void)
{
    if (put(1) && forkq_pop_this(&q, &g[1]))
        take(0, &g[1]);
    done(0, 8);
    put(2);
    put(3);
}

static void owner_fills(void)
{
    put(1);
    put(2);
    put(3);
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

static const struct explore tests[] = {
    {.name = "newest: pop and put while a thief looks", .setup = setup,
     .thread = {owner_newest, thief1, thief2}, .finish = all_once},
    {.name = "oldest: owner and thieves at one end", .setup = setup,
     .thread = {owner_oldest, thief1, thief2}, .finish = all_once},
    {.name = "the one that is joined", .setup = setup,
     .thread = {owner_this, thief1, thief2}, .finish = all_once},
    {.name = "a slot is used again", .setup = setup_late,
     .thread = {owner_fills, thief1_twice}, .finish = all_once},
    {.name = "a slot is used again after the newest", .setup = setup_late,
     .thread = {owner_newest, thief1}, .finish = all_once},
};

int main(int argc, char **argv)
{
    return explore_main(argc, argv, tests);
}
