/* SPDX-License-Identifier: BSD-3-Clause
 * model-cancel.c - limit.c, sleep.c, gstatus.h: who parks and who cancels see each other
 *
 * The first thread waits, the second cancels it, a third may wake it. Each test runs on a machine
 * with membarrier and on one without.
 */
#include "explore.h"

#define park simple_park
#include "simple-park.h"
#undef park

static struct m *park(struct m *mp, int (*unlock)(void *), void *arg, const char *reason);

#include "../../sched/gstatus.c"
#include "../../sched/limit.c"
#include "../../sched/sleep.c"

static struct quoit_g *const waiter = &simple_gs[0];
static struct timed t;
static uint64_t gift;
static int result; /* of the wait, 1 before */
static uint32_t found; /* the wait can be found by who wakes */

/* As simple_park, with the state, which is what the two meet in. */
static struct m *park(struct m *mp, int (*unlock)(void *), void *arg, const char *reason unused_arg)
{
    struct quoit_g *gp = mp->curg;

    data_write(&simple_stacks[0], 1);
    gstatus_set(gp, Grunning, Gwaiting);
    if (unlock(arg) != 0)
        simple_sleep(gp);
    gstatus_set(gp, Gwaiting, Grunning);
    return mp;
}

int timer_add(struct m *mp unused_arg, struct timer *timer unused_arg, int64_t when unused_arg)
{
    return 0;
}

bool timer_del(struct timer *timer unused_arg)
{
    return true;
}

struct m *enter_g(const char *who unused_arg)
{
    return enter();
}

void quoit_yield(void)
{
}

void word_pause(int *spins unused_arg)
{
    os_yield();
}

static void setup(void)
{
    simple_setup();
    fence_bias = 0;
    waiter->flags = G_JOINABLE;
    memset(&t, 0, sizeof(t));
    gift = 0;
    found = 0;
    result = 1;
    explore_name(&gift, "gift");
    explore_memory(&result, sizeof(result));
}

static void setup_forbidden(void)
{
    setup();
    fence_bias = FENCE_BIT;
    waiter->scan = fence_bias;
}

static int publish(void *arg unused_arg)
{
    store_release(&found, 1);
    return 1;
}

/* By who wakes it, or by itself. */
static bool take_out(void)
{
    return xchg_acquire(&found, 0);
}

static void waits(void)
{
    struct m *mp = timed_wait_limited(&simple_ms[0], &t, INT64_MAX, publish, NULL,
                                      "test");

    data_write(&simple_stacks[0], 3);
    result = 0;
    if (timed_out(&t)) {
        if (take_out()) {
            result = timed_error(&t);
            explore_check(data_read(&gift) == 1, "cancelled before it was asked for");
        } else {
            mp = timed_settle(mp, &t, "test");
        }
    }
    explore_check(mp->curg->waits == 0, "it can still be found");
}

static void cancels(void)
{
    data_write(&gift, 1);
    quoit_cancel(waiter);
}

static void wakes(void)
{
    if (take_out())
        timed_wake(&simple_ms[2], &t);
}

static void cancelled(void)
{
    explore_check(result == -ECANCELED, "the wait ended otherwise");
    explore_check(waiter->limits == 0, "a mark is left");
}

static void ended(void)
{
    explore_check(result == -ECANCELED ? waiter->limits == 0 : waiter->limits == LIMIT_CANCELLED,
                  "the mark is lost, or was told of twice");
}

static const struct explore tests[] = {
    {.name = "cancelled while it parks", .setup = setup, .thread = {waits, cancels},
     .finish = cancelled},
    {.name = "cancelled while it parks, no membarrier", .setup = setup_forbidden,
     .thread = {waits, cancels}, .finish = cancelled},
    {.name = "cancelled and woken", .setup = setup, .thread = {waits, cancels, wakes},
     .finish = ended, .preemptions = 3},
};

int main(int argc, char **argv)
{
    return explore_main(argc, argv, tests);
}
