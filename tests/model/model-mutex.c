/* SPDX-License-Identifier: BSD-3-Clause
 * model-mutex.c - mutex.c: one holder at a time, who sees what the last one did, and nobody is left
 * asleep
 *
 * Waiters are goroutines that park; see simple-park.h.
 */
#include "explore.h"

#include "simple-park.h"

#include "../../sched/sema.c"

#undef LOCKED
#undef WAITERS
#include "../../sched/mutex.c"

static struct mutex real;
static quoit_mutex *const m = (quoit_mutex *)&real;
static uint64_t counter;

static void setup(void)
{
    simple_setup();
    real = (struct mutex){0};
    counter = 0;
    explore_name(&counter, "counter");
    explore_memory(&real, sizeof(real));
}

static void once(void)
{
    quoit_mutex_lock(m);
    data_write(&counter, data_read(&counter) + 1);
    quoit_mutex_unlock(m);
}

static void twice(void)
{
    once();
    explore_state(1);
    once();
}

static void tries(void)
{
    if (quoit_mutex_trylock(m) != 0)
        return;
    data_write(&counter, data_read(&counter) + 1);
    quoit_mutex_unlock(m);
}

static void free_again(void)
{
    explore_check(real.word == 0, "the mutex is not free in the end");
}

static const struct explore tests[] = {
    {.name = "two threads", .setup = setup, .thread = {once, once}, .finish = free_again},
    {.name = "two threads, twice", .setup = setup, .thread = {twice, twice},
     .finish = free_again, .preemptions = 3},
    {.name = "three threads", .setup = setup, .thread = {once, once, once},
     .finish = free_again, .preemptions = 2},
    {.name = "one tries", .setup = setup, .thread = {once, tries}, .finish = free_again},
};

int main(int argc, char **argv)
{
    return explore_main(argc, argv, tests);
}
