/* SPDX-License-Identifier: BSD-3-Clause
 * model-wg.c - waitgroup.c: who waits sees all that was done, and is woken once
 *
 * Waiters are goroutines that park; see simple-park.h.
 */
#include "explore.h"

#include "simple-park.h"

#include "../../sched/sema.c"
#define wait_slow wg_wait_slow
#include "../../sched/waitgroup.c"

static struct wg real;
static quoit_wg *const wg = (quoit_wg *)&real;
static uint64_t done[2];

static void setup(void)
{
    simple_setup();
    real = (struct wg){.word = UINT64_C(2) << 32};
    done[0] = done[1] = 0;
    explore_name(&done[0], "done[0]");
    explore_name(&done[1], "done[1]");
    explore_memory(&real, sizeof(real));
}

static void does0(void)
{
    data_write(&done[0], 1);
    quoit_wg_done(wg);
}

static void does1(void)
{
    data_write(&done[1], 1);
    quoit_wg_done(wg);
}

static void waits(void)
{
    quoit_wg_wait(wg);
    explore_check(data_read(&done[0]) + data_read(&done[1]) == 2, "not all was done");
}

static const struct explore tests[] = {
    {.name = "two do, one waits", .setup = setup, .thread = {does0, does1, waits}},
    {.name = "two do, two wait", .setup = setup, .thread = {does0, does1, waits, waits},
     .preemptions = 2},
};

int main(int argc, char **argv)
{
    return explore_main(argc, argv, tests);
}
