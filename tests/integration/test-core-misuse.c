/* SPDX-License-Identifier: BSD-3-Clause
 * test-core-misuse.c - what cannot be meant ends the program, and says what it was
 */
#include "quoit.h"

#include "child.h"
#include "tap.h"
#include "world.h"

#include <stdint.h>
#include <string.h>

static int nothing(void *arg)
{
    (void)arg;
    return 0;
}

static int parks(void *arg)
{
    (void)arg;
    quoit_park(NULL, NULL, "for good");
    return 0;
}

/* ---- in a goroutine ------------------------------------------------------------------------- */

static int unlocks_unlocked(void *arg)
{
    quoit_mutex m = QUOIT_MUTEX_INIT;

    (void)arg;
    quoit_mutex_unlock(&m);
    return 0;
}

static int unlocks_twice(void *arg)
{
    quoit_mutex m = QUOIT_MUTEX_INIT;

    (void)arg;
    quoit_mutex_lock(&m);
    quoit_mutex_unlock(&m);
    quoit_mutex_unlock(&m);
    return 0;
}

static int too_many_posts(void *arg)
{
    quoit_sema s = QUOIT_SEMA_INIT;

    (void)arg;
    quoit_sema_init(&s, INT32_MAX);
    quoit_sema_post(&s);
    return 0;
}

static int too_large_a_count(void *arg)
{
    quoit_sema s = QUOIT_SEMA_INIT;

    (void)arg;
    quoit_sema_init(&s, (unsigned)INT32_MAX + 1);
    return 0;
}

static int done_once_too_often(void *arg)
{
    quoit_wg wg = QUOIT_WG_INIT;

    (void)arg;
    quoit_wg_add(&wg, 1);
    quoit_wg_done(&wg);
    quoit_wg_done(&wg);
    return 0;
}

static int counts_too_far(void *arg)
{
    quoit_wg wg = QUOIT_WG_INIT;

    (void)arg;
    quoit_wg_add(&wg, INT32_MAX);
    quoit_wg_add(&wg, 1);
    return 0;
}

/* One P: whoever was spawned has not run yet. */
static int readies_unstarted(void *arg)
{
    (void)arg;
    quoit_ready(world_go(nothing, NULL));
    return 0;
}

static int readies_twice(void *arg)
{
    struct quoit_g *g = world_go_apart(parks, NULL);

    (void)arg;
    for (int i = 0; i < 10; i++)
        quoit_yield();
    quoit_ready(g);
    quoit_ready(g);
    return 0;
}

static int readies_itself(void *arg)
{
    (void)arg;
    quoit_ready(quoit_self());
    return 0;
}

/* ---- in a plain thread ---------------------------------------------------------------------- */

static int parks_outside(void *arg)
{
    return parks(arg);
}

static int exits_outside(void *arg)
{
    quoit_goexit(arg != NULL);
    return 0;
}

static int joins_outside(void *arg)
{
    return quoit_join(arg, NULL);
}

/* ---- what is said --------------------------------------------------------------------------- */

static const struct misuse {
    quoit_fn fn;
    bool outside;
    const char *what, *said;
} all[] = {
    { unlocks_unlocked, false, "an unlocked mutex is unlocked",
      "quoit_mutex_unlock: the mutex is not locked" },
    { unlocks_twice, false, "and after it was locked",
      "quoit_mutex_unlock: the mutex is not locked" },
    { unlocks_unlocked, true, "by a plain thread too",
      "quoit_mutex_unlock: the mutex is not locked" },
    { too_many_posts, false, "a count past its end", "quoit_sema_post: the count is at INT32_MAX" },
    { too_large_a_count, false, "or beginning there",
      "quoit_sema_init: a count is at most INT32_MAX" },
    { done_once_too_often, false, "a wait group below zero",
      "quoit_wg_add: the count went below zero" },
    { counts_too_far, false, "or past its end", "quoit_wg_add: the count went past INT32_MAX" },
    { readies_unstarted, false, "one is readied that does not wait",
      "is runnable, asked to go from waiting to runnable" },
    { readies_itself, false, "a goroutine readies itself", "the goroutine readies itself" },
    { readies_twice, false, "or twice", "is runnable, asked to go from waiting to runnable" },
    { parks_outside, true, "a plain thread parks", "quoit_park: called by a thread that is no" },
    { exits_outside, true, "or ends as a goroutine",
      "quoit_goexit: called by a thread that is no" },
    { joins_outside, true, "or joins", "quoit_join: called by a thread that is no" },
};

static int in_goroutine(void *arg)
{
    const struct misuse *m = arg;

    return world_run(1, m->fn, NULL);
}

/* After a start: what is said is said as the environment asks for it. */
static int in_thread(void *arg)
{
    const struct misuse *m = arg;

    return world_run(1, nothing, NULL) + m->fn(NULL);
}

int main(void)
{
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) {
        struct child c;

        child_run(&c, all[i].outside ? in_thread : in_goroutine, (void *)(uintptr_t)&all[i]);
        is_int(child_end(&c), 2, "%s: the program ends", all[i].what);
        ok(strncmp(c.said, "fatal error: ", 13) == 0 && child_said(&c, all[i].said),
           "%s: and says so", all[i].what);
        ok(child_said(&c, all[i].outside ? "[outside goroutines]" : "goroutine "),
           "%s: and who did it", all[i].what);
    }
    return done_testing();
}
