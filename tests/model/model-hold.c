/* SPDX-License-Identifier: BSD-3-Clause
 * model-hold.c - hold.c: who stops the world sees what the held did, and they what it did
 */
#include "explore.h"

#include "../../sched/hold.c"

#include <string.h>

static struct m m;
static uint64_t before, phase;

static void setup(void)
{
    memset(&m, 0, sizeof m);
    memset(&hold, 0, sizeof hold);
    before = phase = 0;
    explore_name(&before, "what it did before");
    explore_name(&phase, "the phase");
}

static void is_held(void)
{
    uint32_t turn;

    data_write(&before, 1);
    turn = load_relaxed(&hold.turn);
    if (!(turn & 1))
        return;
    stand_still(&m, turn);
    data_read(&phase);
}

static void holds(void)
{
    hold_begin_locked();
    if (hold_has(&m)) {
        data_read(&before);
        data_write(&phase, 1);
    }
    hold_end_locked();
}

/* It is about to go on from the first turn, or has. */
static void holds_twice(void)
{
    holds();
    holds();
}

static const struct explore tests[] = {
    {.name = "one holds, one is held", .setup = setup, .thread = {is_held, holds}},
    {.name = "twice", .setup = setup, .thread = {is_held, holds_twice}},
};

int main(int argc, char **argv)
{
    return explore_main(argc, argv, tests);
}
