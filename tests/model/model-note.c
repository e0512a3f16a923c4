/* SPDX-License-Identifier: BSD-3-Clause
 * model-note.c - note.h, note.c: who sleeps is woken, and sees what the waker did before
 */
#include "explore.h"

#include "../../sched/note.c"

static struct note n;
static uint64_t gift;
static uint32_t again; /* the sleeper is ready for the next round */

static void setup(void)
{
    n.word = 0;
    gift = 0;
    again = 0;
    explore_name(&gift, "gift");
}

static void sleeper(void)
{
    explore_check(note_sleep(&n, INT64_MAX), "woken by no one");
    explore_check(data_read(&gift) == 1, "woken before the gift was there");
}

static void waker(void)
{
    data_write(&gift, 1);
    note_wake(&n);
}

static void patient_sleeper(void)
{
    if (note_sleep(&n, 1))
        explore_check(data_read(&gift) == 1, "woken before the gift was there");
}

static void sleeper_twice(void)
{
    sleeper();
    note_clear(&n);
    store_release(&again, 1);
    note_sleep(&n, INT64_MAX);
    explore_check(data_read(&gift) == 2, "woken before the second gift was there");
}

static void waker_twice(void)
{
    waker();
    if (load_acquire(&again) == 0)
        return;
    data_write(&gift, 2);
    note_wake(&n);
}

/* The waker that came too early for the second round leaves the sleeper asleep: by rule. */
static void twice_or_asleep(void)
{
    explore_check(explore_sleepers() == 0 || again == 1, "asleep in the first round");
    explore_check(explore_sleepers() == 0 || gift == 1, "asleep after the second gift");
}

static const struct explore tests[] = {
    {.name = "one sleeps, one wakes", .setup = setup, .thread = {sleeper, waker}},
    {.name = "with a deadline", .setup = setup, .thread = {patient_sleeper, waker}},
    {.name = "a second round after note_clear", .setup = setup,
     .thread = {sleeper_twice, waker_twice}, .finish = twice_or_asleep, .may_sleep = true},
};

int main(int argc, char **argv)
{
    return explore_main(argc, argv, tests);
}
