/* SPDX-License-Identifier: BSD-3-Clause
 * test-schedule.c - which goroutine runs next, seen from inside, with a poller that has no I/O
 */
#include "proc.h"

#include "fakepoll.h"
#include "forkq.h"
#include "gstatus.h"
#include "pick.h"
#include "runq.h"
#include "switch.h"
#include "tap.h"
#include "world.h"

#include <stdlib.h>

static int order[64], norder;

static void came(int who)
{
    order[norder++] = who;
}

static bool came_in_this_order(const int *want, int n)
{
    bool same = n == norder;

    for (int i = 0; i < n && same; i++)
        same = order[i] == want[i];
    for (int i = 0; i < norder && !same; i++)
        diag("%d. came %d", i, order[i]);
    norder = 0;
    return same;
}

static int comes(void *arg)
{
    came((int)(intptr_t)arg);
    return 0;
}

static struct quoit_g *waiting[16];

static int waits_and_comes(void *arg)
{
    int who = (int)(intptr_t)arg;

    waiting[who] = quoit_self();
    quoit_park(NULL, NULL, "test");
    came(who);
    return 0;
}

static void let_wait(int n)
{
    for (int i = 0; i < n; i++)
        world_spawn(waits_and_comes, (void *)(intptr_t)i);
    for (int i = 0; i < 2 * n; i++)
        quoit_yield();
}

/* The tick that looks elsewhere first would be in the way. */
static void not_due(void)
{
    m_get()->p->fairat = m_get()->p->schedtick + 1000;
}

/* ---- order ---------------------------------------------------------------------------------- */

static void readied_last_is_next(void)
{
    static const int want[] = { 2, 0, 1, 9 };

    let_wait(3);
    not_due();
    world_spawn(comes, (void *)9);
    for (int i = 0; i < 3; i++)
        quoit_ready(waiting[i]);
    for (int i = 0; i < 5; i++)
        quoit_yield();
    ok(came_in_this_order(want, 4), "who was readied last, then the ring, then unstarted ones");
}

static int yields_once(void *arg)
{
    quoit_yield();
    return comes(arg);
}

static void oldest_or_newest(void)
{
    static const int after_yield[] = { 0, 1, 2 };
    struct quoit_g *child;

    not_due();
    for (intptr_t i = 0; i < 3; i++)
        world_spawn(comes, (void *)i);
    for (int i = 0; i < 4; i++)
        quoit_yield();
    ok(came_in_this_order(after_yield, 3), "of unstarted ones the oldest, for one that yields");

    not_due();
    child = world_go_apart(yields_once, (void *)0);
    world_spawn(comes, (void *)1);
    world_spawn(comes, (void *)2);
    world_join(child);
    ok(order[0] == 2, "the newest for one that waits");
    norder = 0;
}

#ifdef SANITIZE_TSAN
/* To begin one takes 20 times as long. */
enum { DEEP = 15 };
#else
enum { DEEP = 22 };
#endif
enum { FEW = 100 };

struct branch {
    int depth;
    quoit_wg *wg;
};

static int begun, halfway, most_halfway;

static int branches(void *arg);

/* One child for the larger half, the other half by a call. */
static void tree(int depth)
{
    quoit_wg wg = QUOIT_WG_INIT;
    struct branch larger = { depth - 1, &wg };

    if (depth < 2)
        return;
    quoit_wg_add(&wg, 1);
    world_spawn(branches, &larger);
    tree(depth - 2);
    quoit_wg_wait(&wg);
}

static int branches(void *arg)
{
    const struct branch *b = arg;

    begun++;
    if (++halfway > most_halfway)
        most_halfway = halfway;
    tree(b->depth);
    halfway--;
    quoit_wg_done(b->wg);
    return 0;
}

/* The old ones that have their turn for fairness are begun in the middle of it. */
static void depth_first(void)
{
    tree(DEEP);
    ok(most_halfway >= DEEP / 2 && most_halfway < FEW,
       "a tree of %d is gone through with %d of them begun at most", begun, most_halfway);
}

/* ---- completions ---------------------------------------------------------------------------- */

/* As a poller would hand them over: linked, waiting still. */
static void complete(int n)
{
    for (int i = 0; i < n; i++)
        waiting[i]->link = i + 1 < n ? waiting[i + 1] : NULL;
    fakepoll_ready = (struct glist){ waiting[0], waiting[n - 1], n };
}

static void injected(void)
{
    static const int want[] = { 0, 1, 2, 3 };
    struct glist none = { NULL, NULL, 0 };

    let_wait(4);
    not_due();
    complete(4);
    injectglist(m_get(), &none);
    injectglist(m_get(), &fakepoll_ready);
    fakepoll_ready = none;
    is_int(runq_size(&m_get()->p->runq), 4, "a chain comes into the queue");
    for (int i = 0; i < 2; i++)
        quoit_yield();
    ok(came_in_this_order(want, 4), "in its order");
}

/* The others have completed by the time that the P has nothing else. */
static void looked_for_when_idle(void)
{
    struct quoit_g *last;

    let_wait(2);
    last = waiting[1];
    complete(1);
    m_get()->poll_inflight = 1;
    while (norder == 0) {
        not_due();
        quoit_yield();
    }
    m_get()->poll_inflight = 0;
    ok(norder == 1 && order[0] == 0, "completions are looked for when nothing else is to be run");
    norder = 0;
    quoit_ready(last);
    quoit_yield();
    norder = 0;
}

static int stop;

static int yields_on(void *arg)
{
    while (!stop)
        quoit_yield();
    return *(int *)arg;
}

static void looked_for_when_busy(void)
{
    int zero = 0, n = 0;
    struct quoit_g *busy;

    let_wait(1);
    busy = world_go_apart(yields_on, &zero);
    complete(1);
    m_get()->poll_inflight = 1;
    m_get()->p->fairat = 0;
    while (norder == 0 && n++ < 100)
        quoit_yield();
    m_get()->poll_inflight = 0;
    stop = 1;
    world_join(busy);
    ok(norder == 1, "and within a fair number of switches when there is (%d)", n);
    norder = 0;
}

/* ---- what gathers --------------------------------------------------------------------------- */

/* Beside one that yields on. */
static void look_at_all(struct p *pp)
{
    do {
        pp->fairat = 0;
        quoit_yield();
    } while (pp->fairat == 0);
}

static void submitted_when_old(void)
{
    struct m *mp = m_get();
    int zero = 0;
    struct quoit_g *busy;

    stop = 0;
    busy = world_go_apart(yields_on, &zero);
    mp->poll_pending = 1;
    fakepoll_rest = 5;
    look_at_all(mp->p);
    is_int(mp->poll_pending, 1, "what is not old yet gathers on");
    ok(mp->p->fairat - mp->p->schedtick <= 5, "and is looked at again by the time that it is");
    fakepoll_rest = 1000;
    look_at_all(mp->p);
    ok(mp->p->fairat - mp->p->schedtick <= 61, "the others' turn comes no later for it");
    fakepoll_rest = 0;
    look_at_all(mp->p);
    is_int(mp->poll_pending, 0, "what is old is submitted");
    stop = 1;
    world_join(busy);
}

/* ---- a thread that goes ---------------------------------------------------------------------- */

/* Others have asked for something on this thread, which goes with its goroutine. */
static int gathers_and_ends(void *arg unused_arg)
{
    quoit_lock_thread();
    m_get()->poll_pending = 1;
    return 0;
}

static int keeps_its_thread(void *over)
{
    quoit_lock_thread();
    quoit_sema_wait(over);
    return 0;
}

/* The first thread of all would stay, so it is kept busy. */
static void submitted_before_it_goes(void)
{
    quoit_sema over = QUOIT_SEMA_INIT;
    struct quoit_g *keeper = world_go_apart(keeps_its_thread, &over);

    quoit_yield();
    /* Young, so nobody submits it on the way. */
    fakepoll_rest = 5;
    world_join(world_go_apart(gathers_and_ends, NULL));
    while (load_relaxed(&fakepoll_closed) == 0)
        quoit_yield();
    is_int(load_relaxed(&fakepoll_dropped), 0, "a thread that goes submits what has gathered");
    fakepoll_rest = 0;
    quoit_sema_post(&over);
    world_join(keeper);
}

/* ---- a scanner in the way ------------------------------------------------------------------- */

static void *let_go_later(void *g)
{
    for (int i = 0; i < 1000; i++)
        os_yield();
    gscan_end(g);
    return NULL;
}

/* Whoever is held is not run before it is let go; then it is. */
static void held_ones_wait(void)
{
    pthread_t other;

    let_wait(1);
    ok(gscan_begin(waiting[0], Gwaiting), "one that waits is held");
    if (pthread_create(&other, NULL, let_go_later, waiting[0]))
        bail("no thread");
    quoit_ready(waiting[0]);
    is_int(gstatus_read(waiting[0]), Grunnable, "readied when let go");
    pthread_join(other, NULL);
    ok(gscan_begin(waiting[0], Grunnable), "held again, in the queue");
    if (pthread_create(&other, NULL, let_go_later, waiting[0]))
        bail("no thread");
    quoit_yield();
    pthread_join(other, NULL);
    ok(norder == 1, "and run when let go");
    norder = 0;
}

static int all(void *arg)
{
    (void)arg;
    readied_last_is_next();
    oldest_or_newest();
    depth_first();
    injected();
    looked_for_when_idle();
    looked_for_when_busy();
    submitted_when_old();
    held_ones_wait();
    submitted_before_it_goes();
    return 0;
}

int main(void)
{
    is_int(world_run(1, all, NULL), 0, "ends");
    return done_testing();
}
