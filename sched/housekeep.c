/* SPDX-License-Identifier: BSD-3-Clause
 * housekeep.c - the housekeeper: a thread that does what has time, when sysmon says so
 *
 * A job is a row of the table below: when it is due, and what is done then. sysmon asks for the
 * first deadline at each of its looks and before it sleeps, and wakes the housekeeper; that one
 * has no clock of its own. While it works nobody asks, so what a job knows is touched by one
 * thread at a time: by sysmon while the housekeeper rests, by the housekeeper while it does not.
 *
 *     sysmon                               the housekeeper
 *     1. rests, and a job is due?          1. sleeps
 *     2. rests no more (house.lock)        2. does every job that is due
 *     3. wakes it                          3. rests (house.lock)
 *                                          4. wakes sysmon, which asks for the next deadline
 *
 * A job that has nothing to do is due never: an idle program stays idle. A program that ends
 * within the first second never has the thread.
 *
 * It is a thread, where the seed has goroutines. Memory is to go back also while every P computes;
 * who stops the world must not be stopped by it; and under a limit over all stacks, or for want of
 * memory, the one who could give some back must not wait for a stack itself.
 */
#include "housekeep.h"

#include "deferfree.h"
#include "follow.h"
#include "lock.h"
#include "note.h"
#include "p.h"
#include "profile.h"
#include "stack.h"
#include "sysmon.h"
#include "throw.h"

#include <errno.h>

/* A trim first marks, then takes what P's keep, then gives it back: when three find nothing to give
 * while nothing runs, there is nothing. */
enum { QUIET_TRIMS = 3 };

/* Where no thread can be had. */
static const int64_t retry_ns = 1000000000;

int64_t housekeep_trim_ns = 1000000000;

static struct house {
    struct lock lock;  /*    of rests */
    bool rests;
    bool running;      /*    sysmon's: there is a thread */
    uint32_t ending;   /* a  a hint: what takes long is left undone */
    struct note wake;  /* a  NOTE */
    int64_t retry;     /*    sysmon's: no thread was to be had, not before then */
    pthread_t thread;
} house;

/* ---- stacks that nobody uses ---------------------------------------------------------------- */

static struct trim {
    int64_t last;
    uint64_t ticks; /* of all P's then */
    int quiet;      /* how often nothing was found since anything ran */
} trim;

static int64_t trim_due(void)
{
    if (trim.quiet >= QUIET_TRIMS && p_ticks() == trim.ticks)
        return INT64_MAX;
    return trim.last + housekeep_trim_ns;
}

static void trim_node(struct node *np)
{
    for (size_t bytes = stack_trim(np); bytes > 0; bytes = stack_trim_more(np)) {
        /* hint: anybody reads it */
        store_relaxed(&sched.trimmed, sched.trimmed + bytes);
        if (load_relaxed(&house.ending))
            break;
    }
}

static void trim_run(int64_t now)
{
    uint64_t ticks = p_ticks(), before = sched.trimmed;

    for (uint32_t i = 0; i < sched.nnodes; i++)
        trim_node(&sched.nodes[i]);
    trim.quiet = sched.trimmed == before && ticks == trim.ticks ? trim.quiet + 1 : 0;
    trim.ticks = ticks;
    trim.last = now;
}

/* ---- the table ------------------------------------------------------------------------------ */

static const struct job {
    int64_t (*due)(void);
    void (*run)(int64_t now);
} jobs[] = {
    { trim_due, trim_run },         /* the memory of stacks that nobody uses goes back */
    { deferred_due, deferred_run }, /* what nobody can see any more is freed */
    { follow_due, follow_run },     /* the P's follow the machine */
    { profile_due, profile_collect }, /* samples of who uses the cpu are counted */
};

/* ---- the thread ----------------------------------------------------------------------------- */

static void *house_main(void *arg unused_arg)
{
    for (;;) {
        (void)note_sleep(&house.wake, INT64_MAX);
        note_clear(&house.wake);
        if (load_relaxed(&house.ending))
            return NULL;
        for (size_t i = 0; i < array_len(jobs); i++) {
            int64_t now = nanotime();

            if (jobs[i].due() <= now)
                jobs[i].run(now);
        }
        lock(&house.lock);
        house.rests = true;
        unlock(&house.lock);
        /* It may be asleep, and has seen no deadline while the jobs were at work. */
        sysmon_wake();
    }
}

/* Its cpu mask is the watchman's, which nobody binds: it is looked at to see what the process may
 * use (follow.c). Without an attribute it might get the mask of the start (children.c). */
static void house_begin(int64_t now)
{
    pthread_attr_t attr;
    int e = -pthread_attr_init(&attr);

    if (e == 0) {
        e = thread_start(&house.thread, &attr, house_main, NULL);
        pthread_attr_destroy(&attr);
    }
    house.running = e == 0;
    if (e < 0)
        house.retry = now + retry_ns;
}

/* ---- sysmon's side -------------------------------------------------------------------------- */

bool housekeep_rests(void)
{
    bool rests;

    lock(&house.lock);
    rests = house.rests;
    unlock(&house.lock);
    return rests;
}

int housekeep_threads(void)
{
    return house.running;
}

int64_t housekeep_due(void)
{
    int64_t first = INT64_MAX;

    if (load_relaxed(&sched.gcwaiting) || !housekeep_rests())
        return INT64_MAX;
    for (size_t i = 0; i < array_len(jobs); i++) {
        int64_t due = jobs[i].due();

        if (due < first)
            first = due;
    }
    return first < house.retry ? house.retry : first;
}

void housekeep_look(int64_t now)
{
    if (housekeep_due() > now)
        return;
    if (!house.running)
        house_begin(now);
    if (!house.running)
        return;
    lock(&house.lock);
    house.rests = false;
    unlock(&house.lock);
    note_wake(&house.wake);
}

/* ---- start and end -------------------------------------------------------------------------- */

int housekeep_init(void)
{
    house = (struct house){ .rests = true };
    trim = (struct trim){ .last = nanotime() };
    follow_begin(trim.last);
    return 0;
}

void housekeep_stop(void)
{
    if (!house.running)
        return;
    store_relaxed(&house.ending, 1);
    note_wake(&house.wake);
    pthread_join(house.thread, NULL);
    house.running = false;
}

void housekeep_after_fork_child(void)
{
    house.running = false;
}
