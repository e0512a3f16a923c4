/* SPDX-License-Identifier: BSD-3-Clause
 * model-lock.c - lock.h, lock.c: one holder at a time, who sees what the last one did,
 * and nobody is left asleep
 */
#include "explore.h"

#include "cpu.h"

/* Two rounds of the spin stand for all. */
#undef cpu_relax
#define cpu_relax() (i += SPINS / 2)

#include "../../sched/lock.c"

static struct lock l;
static uint64_t counter;

static void setup(void)
{
    l.word = 0;
    counter = 0;
    explore_name(&counter, "counter");
}

static void section(void)
{
    lock(&l);
    data_write(&counter, data_read(&counter) + 1);
    unlock(&l);
}

static void once(void)
{
    section();
}

static void twice(void)
{
    section();
    explore_state(1);
    section();
}

static void three(void)
{
    explore_check(counter == 3 && l.word == 0, "the counter is %d, the lock %u", (int)counter,
                  l.word);
}

static void four(void)
{
    explore_check(counter == 4 && l.word == 0, "the counter is %d, the lock %u", (int)counter,
                  l.word);
}

static const struct explore tests[] = {
    {.name = "three threads", .setup = setup, .thread = {once, once, once}, .finish = three},
    {.name = "two threads, twice", .setup = setup, .thread = {twice, twice}, .finish = four},
};

int main(int argc, char **argv)
{
    return explore_main(argc, argv, tests);
}
