/* SPDX-License-Identifier: BSD-3-Clause
 * test-block.c - the pool of threads for calls that block: bounds, order, reuse, leaving, the end
 *
 * pthread_create is led through this file by the linker, so that there can be no threads.
 */
#include "block.h"

#include "atomic.h"
#include "compiler.h"

#include "env.h"
#include "os_linux.h"

#include "child.h"
#include "tap.h"
#include "world.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MANY = 50, FEW = 10, ROUNDS = 200, BOUND = 2 };

static const int64_t soon_ns = 20000000000;

static uint32_t refuse; /* what pthread_create says */

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*fn)(void *),
                          void *arg);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*fn)(void *),
                          void *arg);

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*fn)(void *),
                          void *arg)
{
    /* As glibc does where thread-local variables need more than the stack has. */
    if (load_relaxed(&refuse) == EINVAL && attr != NULL)
        return EINVAL;
    return load_relaxed(&refuse) == EAGAIN ? EAGAIN : __real_pthread_create(thread, attr, fn, arg);
}

static bool comes_to(uint32_t *word, uint32_t value)
{
    int64_t until = nanotime() + soon_ns;

    while (load_relaxed(word) != value && nanotime() < until)
        os_yield();
    return load_relaxed(word) == value;
}

/* ---- jobs by hand --------------------------------------------------------------------------- */

static uint32_t ended, second_came, inside_now, inside_most;

static void first_awaits_second(struct block_job *job unused_arg)
{
    add_relaxed(&ended, comes_to(&second_came, 1));
}

static void second_comes(struct block_job *job unused_arg)
{
    store_relaxed(&second_came, 1);
    add_relaxed(&ended, 1);
}

static bool submitted(struct block_job *job)
{
    struct block_thread *thread;
    bool taken = block_submit(job, &thread);

    block_go(thread);
    return taken;
}

static void pool_begins(int blocked)
{
    env.max_blocked = blocked;
    block_init();
    block_bound(BOUND);
    store_relaxed(&ended, 0);
}

/* As the opens of the two ends of a FIFO: neither may wait behind the other. */
static bool both_are_served(void)
{
    struct block_job first = { .run = first_awaits_second, .kind = BLOCK_ENDS },
                     second = { .run = second_comes, .kind = BLOCK_ENDS };
    bool served;

    pool_begins(1);
    store_relaxed(&second_came, 0);
    served = submitted(&first) && submitted(&second) && comes_to(&ended, 2);
    return block_end(soon_ns) && served;
}

static void nobody_shares_a_thread(void)
{
    int n = world_rounds(ROUNDS), served = 0;

    while (served < n && both_are_served())
        served++;
    is_int(served, n, "each job has a thread, if the first waits for the second");
}

/* ---- bounds and order ----------------------------------------------------------------------- */

static uint32_t gate, turn, in_order;

struct numbered {
    struct block_job job;
    uint32_t number;
};

static void waits_at_the_gate(struct block_job *job)
{
    struct numbered *n = container_of(job, struct numbered, job);
    uint32_t now = add_relaxed(&inside_now, 1) + 1;

    if (now > load_relaxed(&inside_most))
        store_relaxed(&inside_most, now);
    comes_to(&gate, 1);
    add_relaxed(&in_order, add_relaxed(&turn, 1) == n->number);
    add_relaxed(&inside_now, -1u);
    add_relaxed(&ended, 1);
}

static void jobs_past_the_bound_wait_in_order(void)
{
    static struct numbered jobs[MANY];
    struct block_job quick = { .run = second_comes, .kind = BLOCK_ENDS };

    pool_begins(1);
    for (uint32_t i = 0; i < MANY; i++) {
        jobs[i] = (struct numbered){ { .run = waits_at_the_gate, .kind = BLOCK_LASTS }, i };
        if (!submitted(&jobs[i].job))
            bail("no thread");
    }
    is_int(block_threads(), 1, "%d jobs of a kind that is made one at a time: a thread", MANY);
    is_int(block_count(), MANY, "all are counted");
    ok(submitted(&quick) && comes_to(&ended, 1), "another kind does not wait for them");
    store_relaxed(&gate, 1);
    ok(comes_to(&ended, MANY + 1), "all are made");
    is_int(load_relaxed(&inside_most), 1, "never two at a time");
    is_int(load_relaxed(&in_order), MANY, "in the order in which they came");
    ok(block_end(soon_ns), "no thread is left");
    is_int(block_threads(), 0, "none indeed");
}

/* ---- the end -------------------------------------------------------------------------------- */

static uint32_t begun, go_on;

static void never_ends(struct block_job *job unused_arg)
{
    store_relaxed(&begun, 1);
    pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
    for (;;)
        pause();
}

static void waits_for_us(struct block_job *job unused_arg)
{
    store_relaxed(&begun, 1);
    comes_to(&go_on, 1);
}

static void what_may_be_cancelled_is(void)
{
    struct block_job job = { .run = never_ends, .kind = BLOCK_ENDS, .cancel = true };

    pool_begins(1);
    if (!submitted(&job) || !comes_to(&begun, 1))
        bail("no thread");
    ok(block_end(soon_ns), "a call of ours that never ends is cancelled");
}

static void what_may_not_is_left(void)
{
    struct block_job job = { .run = waits_for_us, .kind = BLOCK_LASTS }, late = job;
    struct block_thread *thread;

    pool_begins(1);
    store_relaxed(&begun, 0);
    if (!submitted(&job) || !comes_to(&begun, 1))
        bail("no thread");
    ok(!block_end(1000000), "one that may not be is left");
    ok(block_submit(&late, &thread) && thread == NULL, "no job is made any more");
    store_relaxed(&go_on, 1);
    ok(block_end(soon_ns), "and is gone when it has ended");
}

/* ---- quoit_block ---------------------------------------------------------------------------- */

static int give(void *arg)
{
    errno = EDOM;
    return (int)(intptr_t)arg;
}

static int sets_pid(void *arg)
{
    *(pthread_t *)arg = pthread_self();
    return 0;
}

/* A goroutine may go on before its thread is through with the job. */
static bool falls_to_0(int (*count)(void))
{
    int64_t until = nanotime() + soon_ns;

    while (count() != 0 && nanotime() < until)
        quoit_yield();
    return count() == 0;
}

/* Without a thread the call is made here, and the M is outside. */
static int without_threads(void *arg)
{
    pthread_t here = pthread_self(), there = here;
    uint32_t how = (uint32_t)(uintptr_t)arg;

    store_relaxed(&refuse, how);
    is_int(quoit_block(give, (void *)7), 7, "the result, where threads are refused with %d",
           (int)how);
    quoit_block(sets_pid, &there);
    ok(pthread_equal(here, there) == (how == EAGAIN), "made %s",
       how == EAGAIN ? "on the spot" : "by a thread all the same");
    store_relaxed(&refuse, 0);
    ok(falls_to_0(block_count), "nothing is left under way");
    return 3;
}

static int one_after_the_other(void *arg unused_arg)
{
    int sum = 0;

    for (intptr_t i = 0; i < MANY; i++)
        sum += quoit_block(give, (void *)i);
    is_int(sum, MANY * (MANY - 1) / 2, "each result");
    ok(block_threads() <= FEW, "%d calls, one after the other, by %d threads", MANY,
       block_threads());
    ok(falls_to_0(block_threads), "threads that are idle for long leave");
    is_int(quoit_block(give, (void *)5), 5, "and others come");
    return 4;
}

static int ends_its_thread(void *arg unused_arg)
{
    pthread_exit(NULL);
}

static int ends_a_thread(void *arg unused_arg)
{
    return quoit_block(ends_its_thread, NULL);
}

static int ends_in_main(void *arg unused_arg)
{
    return world_run(2, ends_a_thread, NULL);
}

/* The child has only the thread that forked. */
static int in_a_forked_child(void *arg unused_arg)
{
    int status = 0;
    pid_t pid;

    quoit_block(give, NULL);
    pid = fork();
    if (pid == 0)
        _exit(quoit_block(give, (void *)6));
    waitpid(pid, &status, 0);
    is_int(WIFEXITED(status) ? WEXITSTATUS(status) : -1, 6, "a forked child makes the call itself");
    return 0;
}

int main(void)
{
    struct child c;

    is_int(quoit_block(NULL, NULL), -EINVAL, "no function");
    errno = EXDEV;
    is_int(quoit_block(give, (void *)9), 9, "a thread that is not ours makes the call itself");
    is_int(errno, EXDEV, "errno is left alone");
    nobody_shares_a_thread();
    jobs_past_the_bound_wait_in_order();
    what_may_be_cancelled_is();
    what_may_not_is_left();
    is_int(world_run(1, without_threads, (void *)EAGAIN), 3, "an end without threads");
    is_int(world_run(1, without_threads, (void *)EINVAL), 3, "an end with those of another size");
    block_idle_ns = 20000000;
    is_int(world_run(2, one_after_the_other, NULL), 4, "an end with idle threads");
    world_run(2, in_a_forked_child, NULL);
    child_run(&c, ends_in_main, NULL);
    is_int(child_end(&c), 2, "a function that ends its thread ends the program");
    ok(child_said(&c, "quoit_block: the function ended the thread"), "which says why");
    return done_testing();
}
