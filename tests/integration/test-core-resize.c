/* SPDX-License-Identifier: BSD-3-Clause
 * test-core-resize.c - a phase on all P's at once, and more P's or fewer
 */
#include "quoit.h"

#include "crowd.h"
#include "tap.h"
#include "world.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { ROUNDS = 200, PROCS_MAX = 8 };

#define LONG_NS (60 * INT64_C(1000000000))

/* ---- a parallel phase ----------------------------------------------------------------------- */

static struct {
    int done[PROCS_MAX + 1], wrong;
    int tid[PROCS_MAX + 1];
    int here, most;
} phase;

static void takes_part(int i, int n, void *arg)
{
    int64_t until = world_now() + LONG_NS;

    if (i < 0 || i >= n || n > PROCS_MAX || arg != &phase) {
        __atomic_add_fetch(&phase.wrong, 1, __ATOMIC_RELAXED);
        return;
    }
    phase.done[i]++;
    phase.tid[i] = (int)syscall(SYS_gettid);
    __atomic_add_fetch(&phase.here, 1, __ATOMIC_RELAXED);
    /* Until all are there: at the same time, that is. */
    while (__atomic_load_n(&phase.here, __ATOMIC_RELAXED) < n && world_now() < until)
        sched_yield();
    if (i == 0 && __atomic_load_n(&phase.here, __ATOMIC_RELAXED) == n)
        phase.most = n;
}

static int one_phase(void)
{
    int n, bad = 0;

    memset(&phase, 0, sizeof phase);
    if (quoit_stop_world(INT64_MAX, 0) != 0)
        return 1;
    n = quoit_world_parallel(takes_part, &phase);
    quoit_start_world();
    if (n < 1 || n > world_procs() || phase.wrong || phase.most != n)
        bad++;
    for (int i = 0; i < n && i <= PROCS_MAX; i++) {
        bad += phase.done[i] != 1;
        for (int k = 0; k < i; k++)
            bad += phase.tid[i] == phase.tid[k];
    }
    return bad;
}

static void in_parallel(void)
{
    int bad = 0, most = 0;

    crowd_begin(crowd_counts, CROWD_COUNTERS);
    for (int i = world_rounds(ROUNDS); i > 0; i--) {
        bad += one_phase();
        if (phase.most > most)
            most = phase.most;
    }
    crowd_goes_on("after the phases");
    is_int(bad, 0, "each index once, each in a thread of its own, at the same time");
    is_int(most, world_procs(), "as many as there are P's");
    crowd_end();
}

/* ---- more P's and fewer --------------------------------------------------------------------- */

static void resized_under_load(int procs)
{
    int wrong = 0, now = procs;
    uint64_t seed = world_seed();

    crowd_all_sorts();
    for (int i = world_rounds(ROUNDS); i > 0; i--) {
        int n = 1 + (int)(world_rand(&seed) % PROCS_MAX);

        wrong += quoit_gomaxprocs(n) != now;
        wrong += quoit_gomaxprocs(0) != n;
        now = n;
        if (i % 10 == 0)
            crowd_goes_on("resized");
        quoit_yield();
    }
    is_int(wrong, 0, "gomaxprocs says what was before");
    crowd_end();
    is_int(quoit_gomaxprocs(procs), now, "and back again");
    is_int(quoit_gomaxprocs(1025), -EINVAL, "too many");
    is_int(quoit_gomaxprocs(-1), procs, "and nothing has changed");
}

/* Less than the tick at which the shared queue comes before the own one. */
enum { QUEUED = 40, TRIES = 50 };

static int came[QUEUED], ncame, at[2], posted;
static quoit_sema gate[QUEUED];

static int comes(void *arg)
{
    int i = (int)(intptr_t)arg;

    quoit_sema_wait(&gate[i]);
    came[__atomic_fetch_add(&ncame, 1, __ATOMIC_RELAXED)] = i;
    quoit_wg_done(&crowd_wg);
    return 0;
}

/* Two hold the two P's and never give way, but come in when the world is stopped. Who has the
 * second one fills its queue, and has it taken away. */
static int fills(void *arg)
{
    int i = (int)(intptr_t)arg, other;

    while (!__atomic_load_n(&posted, __ATOMIC_ACQUIRE)) {
        __atomic_store_n(&at[i], quoit_pin(), __ATOMIC_RELAXED);
        quoit_unpin();
        other = __atomic_load_n(&at[1 - i], __ATOMIC_RELAXED);
        if (__atomic_load_n(&at[i], __ATOMIC_RELAXED) != 1 || other != 0)
            continue;
        for (int k = 0; k < QUEUED; k++)
            quoit_sema_post(&gate[k]);
        quoit_gomaxprocs(1);
        __atomic_store_n(&posted, 1, __ATOMIC_RELEASE);
    }
    return 0;
}

/* How many did not come where they were queued; the one readied last is next. */
static int fill_and_retire(void)
{
    struct quoit_g *g[2];
    int wrong = 0;

    quoit_gomaxprocs(2);
    ncame = posted = 0;
    at[0] = at[1] = -1;
    crowd_begin(comes, QUEUED);
    while (quoit_num_goroutine() != QUEUED + 1)
        quoit_yield();
    for (int i = 0; i < QUEUED; i++)
        quoit_yield();
    for (int i = 0; i < 2; i++)
        g[i] = world_go_apart(fills, (void *)(intptr_t)i);
    for (int i = 0; i < 2; i++)
        world_join(g[i]);
    quoit_wg_wait(&crowd_wg);
    for (int i = 0; i < QUEUED; i++)
        wrong += came[i] != (i == 0 ? QUEUED - 1 : i - 1);
    is_int(ncame, QUEUED, "all that waited on a P that was taken away run");
    return wrong;
}

/* A busy machine may take the first P for idle, and let others in: then once more. */
static void order_is_kept(int procs)
{
    int wrong = 1;

    for (int i = 0; i < TRIES && wrong > 0; i++)
        wrong = fill_and_retire();
    is_int(wrong, 0, "in the order of their queue");
    quoit_gomaxprocs(procs);
}

/* ---- all of it ------------------------------------------------------------------------------ */

static int body(void *arg)
{
    int procs = world_procs();

    (void)arg;
    in_parallel();
    resized_under_load(procs);
    order_is_kept(procs);
    return 7;
}

int main(void)
{
    is_int(quoit_main(body, NULL), 7, "the program ends");
    return done_testing();
}
