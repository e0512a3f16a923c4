/* SPDX-License-Identifier: BSD-3-Clause
 * model-gather.c - gather.h: who waits for some is made ready once, by the last of these, and sees
 * what was done with all that it takes; and lets go of it when nobody touches it any more
 */
#include "explore.h"

#include "simple-park.h"

#include "../../uring/gather.h"

static struct gather g;
static struct gathered ends[2];
static uint64_t done[2];

static void setup(void)
{
    simple_setup();
    memset(&g, 0, sizeof(g));
    memset(ends, 0, sizeof(ends));
    done[0] = done[1] = 0;
    explore_name(&done[0], "done[0]");
    explore_name(&done[1], "done[1]");
    explore_memory(&g, sizeof(g));
}

static void put(int i)
{
    struct quoit_g *gp;

    data_write(&done[i], 1);
    gp = gather_put(&g, &ends[i]);
    if (gp != NULL) {
        explore_check(gp == &simple_gs[2], "the wrong goroutine is made ready");
        ready(NULL, gp);
    }
}

static void ends0(void)
{
    put(0);
}

static void ends1(void)
{
    put(1);
}

static int off_stack(void *arg)
{
    return gather_wait(&g, &simple_gs[2], *(uint32_t *)arg);
}

static int take(void)
{
    int n = 0;

    for (const struct gathered *x = gather_take(&g); x != NULL; x = x->next, n++)
        explore_check(data_read(&done[x - ends]) == 1, "taken before it was done");
    return n;
}

static void waits_for_both(void)
{
    uint32_t two = 2;

    park(m_get(), off_stack, &two, NULL);
    explore_check(take() == 2, "ready before both had ended");
}

/* In between it looks, so what it takes may not be counted yet. */
static void waits_for_one_after_another(void)
{
    uint32_t one = 1;
    int n;

    park(m_get(), off_stack, &one, NULL);
    n = take();
    explore_check(n >= 1, "ready before one had ended");
    n += take();
    park(m_get(), off_stack, &one, NULL);
    explore_check(n + take() == 2, "ready before the other had ended");
}

/* ---- the end of it ------------------------------------------------------------------------*/

/* The owner's memory is somebody else's from the moment that it lets go of it. */
enum { ANOTHERS = 100 };

#ifndef IS_COUNTED
#define IS_COUNTED gather_counted
#endif

static bool gone;

static void setup_to_go(void)
{
    setup();
    gone = false;
}

/* It has taken n, of which it waited for `waited`. */
static void let_go(int n, uint32_t waited)
{
    if (n < 2 || !IS_COUNTED(&g, 2 - waited))
        return;
    store_relaxed(&g.word, ANOTHERS);
    gone = true;
}

static void looks_and_goes(void)
{
    let_go(take(), 0);
}

static void waits_for_one_and_goes(void)
{
    uint32_t one = 1;

    park(m_get(), off_stack, &one, NULL);
    let_go(take(), one);
}

static void nobody_touched_it(void)
{
    explore_check(!gone || load_relaxed(&g.word) == ANOTHERS, "counted after its owner let go");
}

static const struct explore tests[] = {
    {.name = "two end, one waits for both", .setup = setup,
     .thread = {ends0, ends1, waits_for_both}},
    {.name = "two end, one waits twice", .setup = setup,
     .thread = {ends0, ends1, waits_for_one_after_another}},
    {.name = "two end, one looks and lets go", .setup = setup_to_go,
     .thread = {ends0, ends1, looks_and_goes}, .finish = nobody_touched_it},
    {.name = "two end, one waits for one and lets go", .setup = setup_to_go,
     .thread = {ends0, ends1, waits_for_one_and_goes}, .finish = nobody_touched_it},
};

int main(int argc, char **argv)
{
    return explore_main(argc, argv, tests);
}
