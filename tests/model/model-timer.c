/* SPDX-License-Identifier: BSD-3-Clause
 * model-timer.c - timer.c, sleep.c, sema.c, newproc.c, alarm.c: a wait ends by its wake-up or at
 * its deadline, once, and what it waited for is not lost; a call that was stopped does not begin
 *
 * The first thread waits, the second wakes it, the third fires what is due at any time. Who comes
 * back uses its stack again: nobody may still be about to ready it then.
 */
#include "explore.h"

#include "simple-park.h"

#include "gfree.h"

static struct quoit_g *given_back;
#define gfput(pp, gp) ((void)(pp), give_back(gp))
static void give_back(struct quoit_g *gp)
{
    explore_check(given_back == NULL, "the record was given back twice");
    given_back = gp;
}

#include "../../sched/timer.c"
#include "../../sched/sleep.c"
#include "../../sched/newproc.c"
#include "../../sched/sema.c"
#include "../../sched/alarm.c"

enum { LATE = 1000, ROOM = 2, TIMED_OUT = -ETIMEDOUT };

static struct sema real;
static quoit_sema *const s = (quoit_sema *)&real;
static struct quoit_g *const child = &simple_gs[1];
static uint64_t gift;
static int result; /* of the wait, 1 before */

static struct quoit_timer alarm_timer;
static struct quoit_g unborn[2];
static int births;
static bool stopped;

uint8_t stack_default_class;

static struct {
    struct timer_entry heap[HEAD + ROOM];
    struct timer *timer[ROOM];
    uint32_t at[ROOM];
} arrays;

/* ---- what is around ------------------------------------------------------------------------- */

void injectglist(struct m *mp, struct glist *list)
{
    for (struct quoit_g *gp = list->first; gp != NULL; gp = list->first) {
        list->first = gp->link;
        if (gp == &unborn[0] || gp == &unborn[1])
            births++;
        else
            ready(mp, gp);
    }
}

void *mem_reserve(size_t bytes unused_arg, size_t align unused_arg, int node unused_arg)
{
    return NULL;
}

void mem_release(void *p unused_arg, size_t bytes unused_arg)
{
}

struct quoit_g *gfget_slow(struct p *pp unused_arg)
{
    return NULL;
}

struct m *enter_g(const char *who unused_arg)
{
    return enter();
}

void quoit_yield(void)
{
}

int64_t quoit_set_deadline(int64_t deadline_ns)
{
    return deadline_ns;
}

/* ---- the world ------------------------------------------------------------------------------ */

static void setup(void)
{
    struct timers *ts = &simple_ps[0].timers;

    simple_setup();
    memset(&arrays, 0, sizeof(arrays));
    ts->room = ROOM;
    ts->heap = arrays.heap + HEAD;
    ts->timer = arrays.timer;
    ts->at = arrays.at;
    ts->at[0] = 1;
    quoit_sema_init(s, 0);
    child->flags = G_JOINABLE | G_BIG;
    given_back = NULL;
    gift = 0;
    result = 1;
    explore_name(&gift, "gift");
    explore_memory(&real, sizeof(real));
    explore_memory(ts, sizeof(*ts));
    explore_memory(&arrays, sizeof(arrays));
    explore_memory(&given_back, sizeof(given_back));
}

static void came_back(int e)
{
    result = e;
    data_write(&simple_stacks[0], 3);
}

static void fires(void)
{
    timers_run(&simple_ms[2], &simple_ps[0], LATE);
}

/* ---- sleep ---------------------------------------------------------------------------------- */

static void sleeps(void)
{
    came_back(quoit_sleep(5));
}

static void slept(void)
{
    bool waits = simple_ps[0].timers.n == 1;

    explore_check(waits ? result == 1 : result == 0, "fired, and sleeps on");
}

/* ---- semaphore ------------------------------------------------------------------------------ */

static void gives(void)
{
    data_write(&gift, 1);
    quoit_sema_post(s);
}

static void waits(void)
{
    came_back(quoit_sema_wait_until(s, 5));
    if (result == 0)
        explore_check(data_read(&gift) == 1, "through before the post");
}

static void once(void)
{
    explore_check(result == 0 || result == TIMED_OUT, "the wait has not ended");
    explore_check(real.queue == NULL, "somebody is left in the queue");
    explore_check(real.word == (result == 0 ? 0 : ONE), "the post is lost or was taken twice");
    explore_check(simple_ps[0].timers.n == 0, "a timer is left");
}

/* ---- join ----------------------------------------------------------------------------------- */

static void joins(void)
{
    struct m *mp = &simple_ms[0];
    int r = 0;

    came_back(join_until(&mp, child, &r, 5));
    if (result == 0)
        explore_check(r == 7 && data_read(&gift) == 1, "the result is %d", r);
}

static void ends(void)
{
    data_write(&gift, 1);
    g_ended(&simple_ms[1], child, 7);
}

static void joined(void)
{
    explore_check(result == 0 || result == TIMED_OUT, "the join has not ended");
    explore_check(given_back == (result == 0 ? child : NULL), "who has the record?");
    explore_check(child->join == JOIN_DONE, "the end was not told");
}

/* ---- park ----------------------------------------------------------------------------------- */

/* The user's own list, with a lock. */
static struct lock list_lock;
static struct quoit_g *list;

static void setup_list(void)
{
    setup();
    memset(&list_lock, 0, sizeof(list_lock));
    list = NULL;
    explore_memory(&list, sizeof(list));
}

static int list_unlock(void *arg unused_arg)
{
    unlock(&list_lock);
    return 1;
}

static struct quoit_g *list_take(void)
{
    struct quoit_g *gp;

    lock(&list_lock);
    gp = list;
    list = NULL;
    unlock(&list_lock);
    return gp;
}

static int list_withdraw(void *arg unused_arg)
{
    return list_take() != NULL;
}

static void parks(void)
{
    struct m *mp = &simple_ms[0];

    lock(&list_lock);
    list = mp->curg;
    came_back(quoit_park_until(list_unlock, list_withdraw, NULL, "test", 5));
    if (result == 0)
        explore_check(data_read(&gift) == 1, "readied before it was found");
}

static void readies(void)
{
    struct quoit_g *gp = list_take();

    if (gp == NULL)
        return;
    data_write(&gift, 1);
    timed_wake(&simple_ms[1], (struct timed *)gp->waits);
}

static void parked(void)
{
    bool early = simple_ps[0].timers.n == 1 && list != NULL;

    explore_check(early ? result == 1 : result == 0 || result == TIMED_OUT, "parked for ever");
    explore_check(result == 1 || !(simple_gs[0].flags & G_TIMED), "a mark is left");
}

/* ---- calls ---------------------------------------------------------------------------------- */

static int call(void *arg unused_arg)
{
    return 0;
}

/* The first thread's P has records for two calls. */
static void setup_alarm(void)
{
    setup();
    memset(unborn, 0, sizeof(unborn));
    memset(&alarm_timer, 0, sizeof(alarm_timer));
    unborn[0].status = unborn[1].status = Gdead;
    unborn[0].link = &unborn[1];
    simple_ps[0].gfree.top = unborn;
    simple_ps[0].gfree.n = 2;
    simple_ps[0].goidleft = GOID_BATCH;
    alarm_timer.timer.fire = alarm_fire;
    alarm_timer.fn = call;
    alarm_timer.users = 1;
    births = 0;
    stopped = false;
    explore_memory(unborn, sizeof(unborn));
    explore_memory(&alarm_timer, sizeof(alarm_timer));
    explore_memory(&births, sizeof(births));
    explore_memory(&stopped, sizeof(stopped));
}

/* A row, whose first call is about to end. */
static void setup_row(void)
{
    setup_alarm();
    alarm_timer.timer.in = &simple_ps[0].timers;
    alarm_timer.timer.slot = TIMER_OUT;
    alarm_timer.period = alarm_timer.when = 5;
    alarm_timer.users = 2;
}

static void starts(void)
{
    explore_check(quoit_timer_start(&alarm_timer, 5, 0) == 0, "it was started already");
}

static void restarts(void)
{
    int was;

    starts();
    was = quoit_timer_start(&alarm_timer, 6, 0);
    explore_check(was == 0 || was == 1, "no room");
    stopped = was;
}

static void call_ends(void)
{
    explore_check(alarm_called(&simple_ms[0], &alarm_timer, true) == 0, "no room");
}

static void stops(void)
{
    stopped = quoit_timer_stop(&alarm_timer);
}

/* What was started is armed, stopped or called. */
static void accounted(int started)
{
    int armed = (int)simple_ps[0].timers.n;

    explore_check(armed + births + stopped == started, "%d armed, %d called, %d stopped", armed,
                  births, stopped);
    explore_check(alarm_timer.users == 1 + (uint32_t)(armed + births), "%u users",
                  alarm_timer.users);
}

static void stopped_or_called(void)
{
    accounted(1);
}

static void moved_or_called(void)
{
    accounted(2);
}

static void row_stopped(void)
{
    explore_check(simple_ps[0].timers.n == 0, "a call is to come");
    accounted(births + stopped);
    explore_check(births + stopped <= 1, "called and stopped");
}

static const struct explore tests[] = {
    {.name = "one sleeps, time passes", .setup = setup, .thread = {sleeps, NULL, fires},
     .finish = slept, .may_sleep = true},
    {.name = "a post and a deadline", .setup = setup, .thread = {waits, gives, fires},
     .finish = once},
    {.name = "an end and a deadline", .setup = setup, .thread = {joins, ends, fires},
     .finish = joined},
    {.name = "a wake-up and a deadline", .setup = setup_list, .thread = {parks, readies, fires},
     .finish = parked, .may_sleep = true},
    {.name = "a stop and a deadline", .setup = setup_alarm, .thread = {starts, stops, fires},
     .finish = stopped_or_called},
    {.name = "another start and a deadline", .setup = setup_alarm,
     .thread = {restarts, NULL, fires}, .finish = moved_or_called},
    {.name = "the end of a call, a stop and a deadline", .setup = setup_row,
     .thread = {call_ends, stops, fires}, .finish = row_stopped},
};

int main(int argc, char **argv)
{
    return explore_main(argc, argv, tests);
}
