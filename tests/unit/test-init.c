/* SPDX-License-Identifier: BSD-3-Clause
 * test-init.c - a start that fails half way undoes what it did
 *
 * Each mapping that a start makes is refused once, then all from there on. Leaks are the
 * sanitizers' to find.
 */
#include "init.h"

#include "cpu.h"

#include "child.h"
#include "fail.h"
#include "tap.h"
#include "world.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

static int ran;

static int runs(void *arg)
{
    ran++;
    return *(int *)arg;
}

static void refused_once(void)
{
    int seven = 7, n = 0, e = 0, failed = 0, wrong = 0;

    ran = 0;
    do {
        fail_from(FAIL_MMAP, ++n, 1, ENOMEM);
        e = quoit_main(runs, &seven);
        if (e < 0)
            failed++;
        wrong += e != 7 && e != -ENOMEM;
    } while (fail_count(FAIL_MMAP) >= n);
    fail_never();
    diag("%d starts of %d failed", failed, n);
    is_int(wrong, 0, "with a mapping refused a start works, or says -ENOMEM");
    is_int(ran, n - failed, "the first goroutine runs only if it works");
    ok(failed > 0, "some cannot");
    is_int(quoit_main(runs, &seven), 7, "and afterwards it works");
}

struct from {
    int n, times;
};

static int start_with_less(void *arg)
{
    const struct from *from = arg;
    int seven = 7, e;

    fail_from(FAIL_MMAP, from->n, from->times, ENOMEM);
    e = world_run(1, runs, &seven);
    if (e == -ENOMEM) {
        fail_never();
        return quoit_main(runs, &seven) == 7 ? 10 : 11;
    }
    return fail_count(FAIL_MMAP) >= from->n ? 12 : e;
}

static void refused_from_there_on(void)
{
    struct from from = { 0, INT_MAX };
    int failed = 0, wrong = 0, end;

    do {
        struct child c;

        from.n++;
        child_run(&c, start_with_less, &from);
        end = child_end(&c);
        if (end == 10)
            failed++;
        else if (end != 7 && end != 12)
            wrong++;
    } while (end != 7 && from.n < 1000);
    is_int(wrong, 0, "with no mapping from some point on: -ENOMEM, or it works");
    ok(failed > 0, "both (%d failed)", failed);
}

/* ---- errno ---- */

static int spawns_until_refused(void *arg)
{
    int e, seven = 7;

    fail_from(FAIL_MMAP, 1, INT_MAX, ENOMEM);
    errno = 0;
    while ((e = quoit_go(runs, &seven)) == 0 && errno == 0)
        ;
    fail_never();
    is_int(e, -ENOMEM, "without memory for one more goroutine quoit_go says so");
    is_int(errno, 0, "and not by errno");
    return *(int *)arg;
}

static void keeps_errno(void)
{
    int seven = 7;

    is_int(world_run(1, spawns_until_refused, &seven), 7, "a program that goes on");
}

/* ---- threads -------------------------------------------------------------------------------- */

enum { PROCS = 16, ALLOWED = 4, MANY_PROCS = 300 };

static int computes(void *arg)
{
    while (!__atomic_load_n((int *)arg, __ATOMIC_RELAXED))
        cpu_relax();
    return 0;
}

/* Each keeps a P, so the next one needs another thread. */
static int needs_threads(void *arg)
{
    quoit_set_max_threads(ALLOWED);
    for (int i = 0; i < PROCS; i++)
        world_spawn(computes, arg);
    return computes(arg);
}

static int on_many(void *arg)
{
    return world_run(PROCS, needs_threads, arg);
}

static void threads(void)
{
    struct child c;
    int never = 0;

    child_run(&c, on_many, &never);
    is_int(child_end(&c), 2, "needing more threads than allowed ends the program");
    ok(child_said(&c, "fatal error: m_new: the program needs more than 4 threads") &&
       child_said(&c, "QUOIT_MAXTHREADS"), "naming the limit and where it is set");
}

/* Who leaves while it looks for work must not call another one to look. */
static void end_starts_none(void)
{
    int seven = 7;

    is_int(world_run(MANY_PROCS, runs, &seven), 7, "more P's than there will ever be work");
    ok(sched.mgen < MANY_PROCS / 10, "the end starts no threads (%d in all)", (int)sched.mgen);
}

/* ---- who is inside -------------------------------------------------------------------------- */

static void foreigners(void)
{
    ok(!foreign_enter(), "nobody comes in before the start");
    is_int(quoit_init(NULL), 0, "start");
    ok(foreign_enter(), "then they do");
    foreign_leave();
    is_int(num_goroutine(), 0, "no goroutine");
    is_int(quoit_shutdown(0), 0, "end");
    ok(!foreign_enter(), "and nobody afterwards");
}

int main(void)
{
    refused_once();
    refused_from_there_on();
    keeps_errno();
    threads();
    end_starts_none();
    foreigners();
    return done_testing();
}
