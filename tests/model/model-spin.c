/* SPDX-License-Identifier: BSD-3-Clause
 * model-spin.c - schedule.c, m.c, p.c: no goroutine stays in a queue while a P is idle
 * (SPIN-DOWN)
 *
 * The queues, the second look, the sleep and the wakeup are those that ship. What a
 * goroutine does is left out: who takes one runs it for ever, and so does who puts one.
 */
#include "explore.h"

#include "cpu.h"
#include "simple-lock.h"

#include "gmp.h"

#include <stdlib.h>

static struct m spare;
#define aligned_alloc(align, size) ((void)(align), (void)(size), (void *)&spare)

#include "../../sched/p.c"
#include "../../sched/globrunq.c"
#include "../../sched/idle.c"
#include "../../sched/m.c"
#include "../../sched/schedule.c"

enum { MS = 3, GS = 2 };

static struct m ms[MS];
static struct p ps[MS];
static struct p *allp[MS];
static struct node node;
static struct note notes[MS + 1], born;
static struct quoit_g g[GS];
static int taken[MS + 1];

/* ---- what is around ---- */

static struct note *note_of(struct m *mp)
{
    return &notes[mp == &spare ? MS : mp - ms];
}

void netpoll_sleep(struct m *mp, int64_t deadline)
{
    note_sleep(note_of(mp), deadline);
    note_clear(note_of(mp));
}

void netpoll_wake(struct m *mp)
{
    note_wake(note_of(mp));
}

void netpoll_reap(struct m *mp unused_arg, struct glist *list unused_arg)
{
}

bool bind_loosen(struct given *g unused_arg, int tid unused_arg)
{
    return false;
}

int bind_thread(enum bind_mode mode unused_arg, const struct place *place unused_arg)
{
    return 0;
}

void children_refresh(void)
{
}

int thread_start(pthread_t *thread unused_arg, const pthread_attr_t *attr unused_arg,
                 void *(*fn)(void *) unused_arg, void *arg unused_arg)
{
    note_wake(&born);
    return 0;
}

static uint64_t whole; /* stands for what makes an M whole */

void netpoll_reap_other(struct m *mp unused_arg, struct m *m2 unused_arg,
                        struct glist *list unused_arg)
{
    data_read(&whole);
}

/* ---- the machine ---- */

static const uint16_t near[MS][MS - 1] = {{1, 2}, {0, 2}, {0, 1}};
static const uint8_t ring[MS - 1];

static void make_p(int i)
{
    memset(&ps[i], 0, offsetof(struct p, runq_slots[1]));
    ps[i].forkq_slots[0] = NULL;
    ps[i].id = (uint32_t)i;
    ps[i].node = &node;
    ps[i].runq.slot = ps[i].runq_slots;
    ps[i].forkq.slot = ps[i].forkq_slots;
    ps[i].near = near[i];
    ps[i].ring = ring;
    allp[i] = &ps[i];
    explore_memory(&ps[i], offsetof(struct p, runq_slots));
}

static void make_m(int i)
{
    ms[i] = (struct m){.id = (uint32_t)i, .rand = 1, .open = true, .boundslot = -1};
    ms[i].p = ms[i].lastp = &ps[i];
    ps[i].m = ps[i].lastm = &ms[i];
}

static void setup_n(int n)
{
    memset(&sched, 0, sizeof(sched));
    memset(&node, 0, sizeof(node));
    memset(&spare, 0, sizeof(spare));
    memset(notes, 0, sizeof(notes));
    memset(taken, 0, sizeof(taken));
    born.word = 0;
    sched.nodes = &node;
    sched.nnodes = 1;
    sched.allp = allp;
    sched.nprocs = sched.nallp = (uint32_t)n;
    sched.maxm = 10;
    sched.bind = BIND_NONE;
    sched.npidle = fence_bias;
    for (int i = 0; i < n; i++) {
        make_p(i);
        make_m(i);
    }
    for (int i = 1; i < n; i++) {
        ms[i].spinning = true;
        sched.nmspinning++;
    }
    explore_memory(ms, sizeof(ms));
    explore_memory(&sched, sizeof(sched));
    explore_memory(&spare, sizeof(spare));
    explore_name(&g[0], "g0");
    explore_name(&g[1], "g1");
}

static void setup_two(void)
{
    fence_bias = 0;
    setup_n(2);
}

static void setup_two_forbidden(void)
{
    fence_bias = FENCE_BIT;
    setup_n(2);
}

/* The third M sleeps already, and its P is idle. */
static void setup_three(void)
{
    fence_bias = 0;
    setup_n(3);
    ms[2].spinning = false;
    sched.nmspinning--;
    pidleput_locked(releasep(&ms[2]));
    midleput_locked(&ms[2]);
}

/* ---- the threads ---- */

static void put(int i)
{
    runq_put(&ps[0].runq, &g[i]);
    wakep(&ms[0]);
}

static void put_unstarted(int i)
{
    forkq_put(&ps[0].forkq, &g[i]);
    wakep(&ms[0]);
}

static void puts_one(void)
{
    put(0);
}

static void puts_one_unstarted(void)
{
    put_unstarted(0);
}

static void puts_two(void)
{
    put(0);
    explore_state(1);
    put(1);
}

/* findrunnable without the waiting in between. */
static void search(struct m *mp, int who)
{
    struct quoit_g *gp;

    while ((gp = steal(mp)) == NULL) {
        if (!second_look(mp))
            m_sleep(mp);
        explore_state(2);
    }
    taken[who]++;
    if (mp->spinning)
        spinning_ends(mp);
}

static void looks1(void)
{
    search(&ms[1], 1);
}

static void sleeps2(void)
{
    struct p *pp;
    bool leave;

    netpoll_sleep(&ms[2], INT64_MAX);
    pp = woken_for(&ms[2], false, &leave);
    acquirep(&ms[2], pp);
    search(&ms[2], 2);
}

/* An M that is made only when no idle one is there. */
static void newborn(void)
{
    struct p *pp;

    note_sleep(&born, INT64_MAX);
    pp = spare.nextp;
    spare.nextp = NULL;
    acquirep(&spare, pp);
    search(&spare, MS);
}

/* ---- who looks at another P's M ---- */

static void setup_newcomer(void)
{
    setup_two();
    whole = 0;
    explore_name(&whole, "the M");
    releasep(&ms[1]);
    ms[1].poll_inflight = 1;
}

static void comes(void)
{
    data_write(&whole, 1);
    acquirep(&ms[1], &ps[1]);
}

static void reaps(void)
{
    reap_others(&ms[0]);
}

/* ---- what must hold ---- */

static void nothing_left(void)
{
    int n = 0;

    for (int i = 0; i <= MS; i++)
        n += taken[i];
    n += (int)runq_size(&ps[0].runq) + (int)forkq_size(&ps[0].forkq);
    /* An M that was made and is not run here would look, too. */
    explore_check(!work_anywhere() || npidle() == 0 || born.word,
                  "a goroutine is left in a queue, %u P's are idle and %d M's asleep", npidle(),
                  explore_sleepers());
    explore_check(n == 1 || n == 2, "%d goroutines in all", n);
}

static const struct explore tests[] = {
    {.name = "one puts, one goes to sleep", .setup = setup_two,
     .thread = {puts_one, looks1, newborn}, .finish = nothing_left, .may_sleep = true},
    {.name = "one puts an unstarted one, one goes to sleep", .setup = setup_two,
     .thread = {puts_one_unstarted, looks1, newborn}, .finish = nothing_left, .may_sleep = true},
    {.name = "one puts, one goes to sleep, no membarrier", .setup = setup_two_forbidden,
     .thread = {puts_one, looks1, newborn}, .finish = nothing_left, .may_sleep = true},
    {.name = "an M comes, another looks at its P", .setup = setup_newcomer,
     .thread = {reaps, comes}},
    {.name = "one puts two, one looks, one sleeps", .setup = setup_three,
     .thread = {puts_two, looks1, sleeps2}, .finish = nothing_left, .may_sleep = true,
     .preemptions = 3},
};

int main(int argc, char **argv)
{
    return explore_main(argc, argv, tests);
}
