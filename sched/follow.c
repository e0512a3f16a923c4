/* SPDX-License-Identifier: BSD-3-Clause
 * follow.c - the P's follow the machine
 *
 * A container may be given more cpu time or less, other cpus, or fewer of them, while it runs.
 * Unless the program has said how many goroutines are to run at once, the housekeeper looks once a
 * second: at the cpu quota of every group above, and at its own cpu mask. It was never bound, and
 * the kernel keeps the mask of each thread to its cpuset and to the cpus that are there, so that
 * mask says what the process may use, also where no group can be seen, and after a taskset of all
 * threads. The masks of M's say nothing, they are ours.
 *
 * A program that sleeps is not looked at. The resize stops the world, but never for long: who has
 * not come in after some milliseconds computes, and there will be another time, later and later.
 */
#include "follow.h"

#include "topo.h"

#include "p.h"
#include "proc.h"
#include "world.h"

#include <errno.h>

enum { PAUSE_MAX = 64 };

static const int64_t stop_ns = 5000000;

int64_t follow_ns = 1000000000;

static struct follow {
    int64_t last;
    int64_t pause;  /* so many times follow_ns */
    uint64_t ticks; /* of all P's at the last look */
} follow;

void follow_begin(int64_t now)
{
    follow = (struct follow){ .last = now, .pause = 1 };
}

int64_t follow_due(void)
{
    if (load_relaxed(&sched.chosen) || p_ticks() == follow.ticks)
        return INT64_MAX;
    return follow.last + follow.pause * follow_ns;
}

static bool fits(const struct topo_view *v)
{
    return topo_is(v) && (uint32_t)procs_wanted() == load_relaxed(&sched.nprocs);
}

void follow_run(int64_t now)
{
    struct topo_view v;
    int e = 0;

    follow.last = now;
    follow.ticks = p_ticks();
    if (topo_view(&v) < 0)
        return;
    if (!fits(&v)) {
        e = world_follow(&v, nanotime() + stop_ns);
        if (e == 0)
            /* hint: anybody reads it */
            store_relaxed(&sched.follows, sched.follows + 1);
    }
    if (e == 0)
        follow.pause = 1;
    else if (follow.pause < PAUSE_MAX)
        follow.pause *= 2;
    topo_view_free(&v);
}
