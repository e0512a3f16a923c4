/* SPDX-License-Identifier: BSD-3-Clause
 * test-gstatus.c - which states follow each other, and what a scanner may rely on
 */
#include "gstatus.h"

#include "child.h"
#include "tap.h"
#include "world.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

enum { STATES = Gdead + 1 };

static const char *const names[STATES] = {
    "idle", "runnable", "running", "syscall", "waiting", "dead",
};

/* From the picture on top of gstatus.h, a second time: a row is where it comes from. */
static const bool legal[STATES][STATES] = {
    [Gidle] = { [Gdead] = true },
    [Grunnable] = { [Grunning] = true },
    [Grunning] = { [Grunnable] = true, [Gsyscall] = true, [Gwaiting] = true, [Gdead] = true },
    [Gsyscall] = { [Grunnable] = true, [Grunning] = true },
    [Gwaiting] = { [Grunnable] = true, [Grunning] = true },
    [Gdead] = { [Grunnable] = true },
};

static struct quoit_g g = { .id = 4711 };

struct arrow {
    uint32_t is, from, to;
};

static int change(void *arg)
{
    struct arrow *a = arg;

    store_relaxed(&g.status, a->is);
    gstatus_set(&g, a->from, a->to);
    return 0;
}

static void good_arrows(void)
{
    for (uint32_t from = 0; from < STATES; from++)
        for (uint32_t to = 0; to < STATES; to++) {
            if (!legal[from][to])
                continue;
            store_relaxed(&g.status, from);
            gstatus_set(&g, from, to);
            is_int(gstatus_read(&g), to, "%s to %s", names[from], names[to]);
        }
}

static bool ends_naming(struct arrow *a, const char *is)
{
    struct child c;
    char text[200];

    snprintf(text, sizeof text,
             "fatal error: gstatus_set: goroutine 4711 is %s, asked to go from %s to %s", is,
             gstatus_name(a->from), gstatus_name(a->to));
    child_run(&c, change, a);
    return child_end(&c) == 2 && child_said(&c, text);
}

static void bad_arrows(void)
{
    for (uint32_t from = 0; from < STATES; from++)
        for (uint32_t to = 0; to < STATES; to++)
            if (!legal[from][to])
                ok(ends_naming(&(struct arrow){ from, from, to }, names[from]),
                   "%s to %s ends the program, naming both and the goroutine", names[from],
                   names[to]);
}

static void not_in_that_state(void)
{
    ok(ends_naming(&(struct arrow){ Gwaiting, Grunnable, Grunning }, "waiting"),
       "a legal arrow from a state that it is not in is none");
    ok(ends_naming(&(struct arrow){ Gdead, Grunning, Gdead }, "dead"), "nor one already there");
    ok(ends_naming(&(struct arrow){ 77, 77, Gdead }, "corrupt"), "nor from no state at all");
    ok(ends_naming(&(struct arrow){ Grunning, Grunning, 6 }, "running"), "nor to none");
}

static void spelled(void)
{
    for (uint32_t s = 0; s < STATES; s++) {
        char twin[20];

        snprintf(twin, sizeof twin, "scan%s", names[s]);
        is_str(gstatus_name(s), names[s], "%s", names[s]);
        is_str(gstatus_name(Gscan | s), twin, "%s", twin);
    }
    is_str(gstatus_name(6), "corrupt", "6 is no state");
    is_str(gstatus_name(Gscan | 6), "corrupt", "nor is its twin");
    is_str(gstatus_name(UINT32_MAX), "corrupt", "nor is the last of all");
}

/* ---- scanners ------------------------------------------------------------------------------- */

static void twins(void)
{
    for (uint32_t s = 0; s < STATES; s++) {
        store_relaxed(&g.status, s);
        ok(gscan_begin(&g, s), "%s can be held", names[s]);
        is_int(gstatus_read(&g), Gscan | s, "and reads as its twin");
        ok(!gscan_begin(&g, s), "by one at a time");
        gscan_end(&g);
        is_int(gstatus_read(&g), s, "until let go");
        ok(!gscan_begin(&g, (s + 1) % STATES), "in another state than asked it is not held");
        is_int(gstatus_read(&g), s, "and nothing stays behind");
    }
}

/* One goes round the states and counts each time it has gone on; others hold it and look that it
 * does not. */
enum { SCANNERS = 3 };

struct round {
    uint64_t steps;
    uint32_t over;
    uint32_t moved, held, early;
};

static struct round r;
static int rounds;
static uint32_t held_enough;

static void *go_round(void *arg)
{
    (void)arg;
    /* On, until scanners have had their share. */
    for (int i = 0; i < rounds || load_relaxed(&r.held) < held_enough; i++) {
        gstatus_set(&g, Grunnable, Grunning);
        store_relaxed(&r.steps, r.steps + 1);
        gstatus_set(&g, Grunning, Gwaiting);
        store_relaxed(&r.steps, r.steps + 1);
        /* Where threads take turns this is when scanners have theirs. */
        if (i % 100 == 0 || world_is_slow())
            os_yield();
        gstatus_set(&g, Gwaiting, Grunnable);
        store_relaxed(&r.steps, r.steps + 1);
    }
    store_relaxed(&r.over, 1);
    return NULL;
}

static void *hold(void *arg)
{
    uint64_t before = 0;

    (void)arg;
    while (!load_relaxed(&r.over)) {
        /* Scanners without a pause would leave it no room to move. */
        if (load_relaxed(&r.steps) == before || !gscan_begin(&g, Gwaiting)) {
            os_yield();
            continue;
        }
        /* The step into this state may still be counted once: it was done before. */
        before = load_relaxed(&r.steps);
        add_relaxed(&r.held, 1);
        /* The next state may be stored already, but nobody acts on it. */
        for (int i = 0; i < 200; i++) {
            uint32_t seen = gstatus_read(&g);

            if (seen != (Gscan | Gwaiting) && seen != (Gscan | Grunnable))
                add_relaxed(&r.moved, 1);
        }
        os_yield();
        if (load_relaxed(&r.steps) - before > 1)
            add_relaxed(&r.early, 1);
        gscan_end(&g);
    }
    return NULL;
}

static void held_while_it_changes(const char *how)
{
    pthread_t mover, scanner[SCANNERS];

    memset(&r, 0, sizeof r);
    g.scan = fence_bias;
    store_relaxed(&g.status, Grunnable);
    if (pthread_create(&mover, NULL, go_round, NULL))
        bail("no thread");
    for (int i = 0; i < SCANNERS; i++)
        if (pthread_create(&scanner[i], NULL, hold, NULL))
            bail("no thread");
    pthread_join(mover, NULL);
    for (int i = 0; i < SCANNERS; i++)
        pthread_join(scanner[i], NULL);
    diag("held %u times", r.held);
    is_int(r.moved, 0, "%s: what is held gets no further", how);
    is_int(r.early, 0, "%s: and who changes it goes on only when let go", how);
}

int main(void)
{
    rounds = world_rounds(20000);
    held_enough = (uint32_t)world_rounds(100);
    good_arrows();
    bad_arrows();
    not_in_that_state();
    spelled();
    twins();
    fence_init();
    held_while_it_changes("with membarrier");
    fence_bias = FENCE_BIT;
    held_while_it_changes("without");
    return done_testing();
}
