/* SPDX-License-Identifier: BSD-3-Clause
 * model-sema.c - sema.c: as many get through as were let through, and none sleeps for nothing
 *
 * Waiters are goroutines that park; see simple-park.h.
 */
#include "explore.h"

#include "simple-park.h"

#include "../../sched/sema.c"

static struct sema real;
static quoit_sema *const s = (quoit_sema *)&real;
static uint64_t gift;

static void setup(void)
{
    simple_setup();
    quoit_sema_init(s, 0);
    gift = 0;
    explore_name(&gift, "gift");
    explore_memory(&real, sizeof(real));
}

static void setup_one(void)
{
    setup();
    quoit_sema_init(s, 1);
}

static void gives(void)
{
    data_write(&gift, 1);
    quoit_sema_post(s);
}

static void gets(void)
{
    quoit_sema_wait(s);
    explore_check(data_read(&gift) == 1, "through before the post");
}

static void tries(void)
{
    if (quoit_sema_trywait(s) == 0)
        explore_check(data_read(&gift) == 1, "through before the post");
}

static void posts(void)
{
    quoit_sema_post(s);
}

static void posts_twice(void)
{
    posts();
    explore_state(1);
    posts();
}

static void waits(void)
{
    quoit_sema_wait(s);
}

static void section(void)
{
    quoit_sema_wait(s);
    data_write(&gift, data_read(&gift) + 1);
    quoit_sema_post(s);
}

static void used_up(void)
{
    explore_check(real.word == 0, "the word is not 0 in the end");
}

static void all_in(void)
{
    explore_check(gift == 2, "%d of 2 went through", (int)gift);
}

static const struct explore tests[] = {
    {.name = "a gift passes", .setup = setup, .thread = {gives, gets}, .finish = used_up},
    {.name = "a gift passes to who tries", .setup = setup, .thread = {gives, tries}},
    {.name = "one posts twice, two wait", .setup = setup, .thread = {posts_twice, waits, waits},
     .finish = used_up, .preemptions = 2},
    {.name = "one post, one waits, one comes late", .setup = setup,
     .thread = {posts, waits, posts}, .preemptions = 2},
    {.name = "as a lock of two", .setup = setup_one, .thread = {section, section},
     .finish = all_in},
};

int main(int argc, char **argv)
{
    return explore_main(argc, argv, tests);
}
