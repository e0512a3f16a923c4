/* SPDX-License-Identifier: BSD-3-Clause
 * test-note.c - one sleep, one wakeup, in either order, and the deadline, with the real futex
 */
#include "note.h"
#include "os_linux.h"
#include "tap.h"

#include <pthread.h>

enum { ROUNDS = 2000, SHORT_NS = 2000000 };

static struct note ping, pong;
static int rounds_seen;

static void wake_comes_first(void)
{
    struct note n = {0};

    note_wake(&n);
    ok(note_sleep(&n, INT64_MAX), "wake_comes_first: the sleep returns at once");
    note_clear(&n);
    ok(!note_sleep(&n, nanotime()), "wake_comes_first: and is over after note_clear");
}

static void deadline_passes(void)
{
    struct note n = {0};
    int64_t until = nanotime() + SHORT_NS;

    ok(!note_sleep(&n, until), "deadline_passes: nobody woke it");
    ok(nanotime() >= until, "deadline_passes: not before its time");
    ok(!note_sleep(&n, 0), "deadline_passes: one that is long over");
    note_wake(&n);
    ok(note_sleep(&n, 0), "deadline_passes: a wakeup counts, however late it is seen");
}

static void *answer(void *arg unused_arg)
{
    for (int i = 0; i < ROUNDS; i++) {
        note_sleep(&ping, INT64_MAX);
        note_clear(&ping);
        rounds_seen++;
        note_wake(&pong);
    }
    return NULL;
}

static void back_and_forth(void)
{
    pthread_t thread;

    if (pthread_create(&thread, NULL, answer, NULL) != 0)
        bail("no thread to answer");
    for (int i = 0; i < ROUNDS; i++) {
        note_wake(&ping);
        note_sleep(&pong, INT64_MAX);
        note_clear(&pong);
    }
    pthread_join(thread, NULL);
    is_int(rounds_seen, ROUNDS, "back_and_forth %d times", ROUNDS);
}

int main(void)
{
    wake_comes_first();
    deadline_passes();
    back_and_forth();
    return done_testing();
}
