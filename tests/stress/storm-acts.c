/* SPDX-License-Identifier: BSD-3-Clause
 * storm-acts.c - what one who takes part in the storm may do next
 */
#include "storm.h"

#include "compiler.h"

#include "quoit_io.h"

#include "tap.h"
#include "world.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SPINS = 2000 }; /* without a call, where one computes */

void add(uint64_t *n, uint64_t more)
{
    __atomic_add_fetch(n, more, __ATOMIC_RELAXED);
}

uint32_t roll(struct actor *a, uint32_t n)
{
    return world_rand(&a->dice) % n;
}

void happened(enum event e)
{
    add(&storm.count[e], 1);
}

int64_t in_ns(struct actor *a, uint32_t most)
{
    return world_now() + roll(a, most);
}

bool is_over(void)
{
    return __atomic_load_n(&storm.over, __ATOMIC_RELAXED);
}

/* ---- children ------------------------------------------------------------------------------- */

/* What a child is told, and does. */
struct errand {
    uint64_t number;
    uint32_t yields;
    bool locks, exits;
};

static struct errand errand_of(struct actor *a)
{
    return (struct errand){ world_rand(&a->dice), roll(a, 3), roll(a, 16) == 0, roll(a, 4) == 0 };
}

static int run_errand(void *arg)
{
    const struct errand *e = arg;
    int result = (int)(e->number & 0xffff);

    if (e->locks)
        quoit_lock_thread();
    for (uint32_t i = 0; i < e->yields; i++)
        quoit_yield();
    add(&storm.ended, e->number);
    if (e->locks)
        happened(LOCKED_END);
    quoit_wg_done(&storm.children);
    if (e->exits)
        quoit_goexit(result);
    return result;
}

static int run_plain(void *arg)
{
    struct errand e = { (uintptr_t)arg, 0, false, false };

    run_errand(&e);
    return 0;
}

static void expected(const struct errand *e)
{
    quoit_wg_add(&storm.children, 1);
    add(&storm.spawned, e->number);
}

static void spawn(struct actor *a)
{
    struct errand e = errand_of(a);

    expected(&e);
    world_spawn(run_plain, (void *)(uintptr_t)e.number);
    happened(SPAWN);
}

static void spawn_copy(struct actor *a)
{
    struct errand e = errand_of(a);

    expected(&e);
    if (quoit_go_copy(run_errand, &e, sizeof e) != 0)
        bail("quoit_go_copy");
    happened(SPAWN_COPY);
}

static void spawn_attr(struct actor *a)
{
    static const char *const name[] = { NULL, "child", "a name that is a little too long for it" };
    struct quoit_attr attr = QUOIT_ATTR_INIT;
    struct errand e = errand_of(a);

    attr.name = name[roll(a, 3)];
    attr.stack_size = (size_t)roll(a, 4) * (100 << 10);
    attr.node = roll(a, 2) ? 0 : QUOIT_NODE_ANY;
    expected(&e);
    if (quoit_go_attr(&attr, run_plain, (void *)(uintptr_t)e.number) != 0)
        bail("quoit_go_attr");
    happened(SPAWN_ATTR);
}

static void join_one(struct actor *a)
{
    struct errand e = errand_of(a);

    expected(&e);
    if (world_join(world_go(run_errand, &e)) != (int)(e.number & 0xffff))
        bail("a wrong result");
    happened(JOIN);
}

static void join_many(struct actor *a)
{
    enum { MOST = 5 };
    struct errand e[MOST];
    struct quoit_g *g[MOST];
    int n = 1 + (int)roll(a, MOST);

    for (int i = 0; i < n; i++) {
        e[i] = errand_of(a);
        expected(&e[i]);
        g[i] = roll(a, 2) ? world_go(run_errand, &e[i]) : world_go_apart(run_errand, &e[i]);
        if (roll(a, 3) == 0)
            quoit_yield();
    }
    for (int i = n; i-- > 0;)
        if (world_join(g[i]) != (int)(e[i].number & 0xffff))
            bail("a wrong result");
    happened(JOIN_MANY);
}

static void join_until(struct actor *a)
{
    struct errand e = errand_of(a);
    struct quoit_g *g;
    int result, r;

    e.yields = roll(a, 30);
    expected(&e);
    g = world_go(run_errand, &e);
    while ((r = quoit_join_until(g, &result, in_ns(a, 20000))) == -ETIMEDOUT)
        happened(JOIN_LATE);
    if (r != 0 || result != (int)(e.number & 0xffff))
        bail("quoit_join_until: %d", r);
    happened(JOIN_UNTIL);
}

static int counts_down(void *arg)
{
    quoit_yield();
    quoit_wg_done(arg);
    return 0;
}

static void wait_group(struct actor *a)
{
    quoit_wg wg = QUOIT_WG_INIT;
    int n = 1 + (int)roll(a, 8);

    quoit_wg_add(&wg, n);
    for (int i = 0; i < n; i++)
        world_spawn(counts_down, &wg);
    quoit_wg_wait(&wg);
    happened(WAIT_GROUP);
}

/* ---- waiting -------------------------------------------------------------------------------- */

static struct quoit_g *take_parked(unsigned at)
{
    return __atomic_exchange_n(&storm.place[at], NULL, __ATOMIC_ACQ_REL);
}

static bool wake(unsigned at)
{
    struct quoit_g *g = take_parked(at);

    if (g == NULL)
        return false;
    quoit_ready(g);
    happened(READY);
    return true;
}

void wake_all(void)
{
    for (unsigned i = 0; i < PLACES; i++)
        wake(i);
}

struct parking {
    struct quoit_g **at, *self;
};

/* Only into an empty place, so that nobody is overwritten. */
static int publish(void *arg)
{
    struct parking *p = arg;
    struct quoit_g *none = NULL;

    return __atomic_compare_exchange_n(p->at, &none, p->self, 0, __ATOMIC_ACQ_REL,
                                       __ATOMIC_RELAXED);
}

static int withdraw(void *arg)
{
    struct parking *p = arg;
    struct quoit_g *seen = p->self;

    return __atomic_compare_exchange_n(p->at, &seen, NULL, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

static void park(struct actor *a)
{
    struct parking p = { &storm.place[roll(a, PLACES)], quoit_self() };

    quoit_park(publish, &p, "in a place");
    happened(PARK);
}

static void park_until(struct actor *a)
{
    struct parking p = { &storm.place[roll(a, PLACES)], quoit_self() };
    int e = quoit_park_until(publish, withdraw, &p, "in a place", in_ns(a, 300000));

    happened(e == 0 ? PARK_UNTIL : PARK_LATE);
}

static void ready(struct actor *a)
{
    wake(roll(a, PLACES));
}

static void send(struct actor *a unused_arg)
{
    add(&storm.sent, 1);
    quoit_sema_post(&storm.letters);
    happened(SEND);
}

bool receive(int64_t patience)
{
    int e = patience > 0 ? quoit_sema_wait_until(&storm.letters, world_now() + patience)
                         : quoit_sema_trywait(&storm.letters);

    if (e == 0) {
        add(&storm.received, 1);
        happened(RECEIVE);
    } else {
        happened(RECEIVE_LATE);
    }
    return e == 0;
}

static void receives(struct actor *a)
{
    receive(roll(a, 3) * 50000);
}

static void hold_mutex(struct actor *a)
{
    quoit_mutex_lock(&storm.mutex);
    storm.mutex_plain++;
    if (roll(a, 8) == 0)
        quoit_yield();
    quoit_mutex_unlock(&storm.mutex);
    add(&storm.under_mutex, 1);
    happened(MUTEX);
}

static void sleeps(struct actor *a)
{
    quoit_sleep(roll(a, 300000));
    happened(SLEEP);
}

static void yields(struct actor *a)
{
    for (uint32_t n = 1 + roll(a, 8); n > 0; n--) {
        add(&storm.steps, 1);
        quoit_yield();
    }
    happened(YIELD);
}

static void computes(struct actor *a)
{
    int64_t until = in_ns(a, roll(a, 20) == 0 ? 2000000 : 80000);

    while (world_now() < until) {
        for (int i = 0; i < SPINS; i++)
            __asm__ volatile("");
        add(&storm.steps, 1);
    }
    happened(COMPUTE);
}

/* ---- I/O ------------------------------------------------------------------------------------ */

static void write_pipe(struct actor *a)
{
    uint64_t number = world_rand(&a->dice);

    add(&storm.written, number);
    if (quoit_write(storm.pipe[roll(a, PIPES)][1], &number, sizeof number) != sizeof number)
        bail("quoit_write");
    happened(PIPE_WRITE);
}

/* Each has a part of its own. */
static void file_io(struct actor *a)
{
    char out[FILE_PART], in[FILE_PART];
    off_t at = (off_t)a->i * FILE_PART;

    memset(out, (int)roll(a, 256), sizeof out);
    if (quoit_pwrite(storm.file, out, sizeof out, at) != sizeof out ||
        quoit_pread(storm.file, in, sizeof in, at) != sizeof in)
        bail("the file cannot be written or read");
    if (memcmp(out, in, sizeof in) != 0)
        bail("what was read is not what was written");
    happened(FILE_IO);
}

/* ---- a thread of its own ------------------------------------------------------------- */

static void locked(struct actor *a)
{
    pid_t tid;
    int depth = quoit_lock_thread();

    tid = gettid();
    for (uint32_t n = roll(a, 6); n > 0; n--) {
        switch (roll(a, 6)) {
        case 0:
            sleeps(a);
            break;
        case 1:
            file_io(a);
            break;
        case 2:
            write_pipe(a);
            break;
        case 3:
            hold_mutex(a);
            break;
        case 4:
            join_one(a);
            break;
        default:
            quoit_yield();
            break;
        }
        if (gettid() != tid)
            bail("a locked goroutine moved");
    }
    if (quoit_unlock_thread() != depth - 1)
        bail("quoit_unlock_thread");
    happened(LOCKED);
}

/* ---- the dice ------------------------------------------------------------------------------- */

static const struct {
    void (*fn)(struct actor *a);
    uint32_t weight;
} acts[] = {
    { spawn, 100 }, { spawn_copy, 100 }, { spawn_attr, 40 },
    { join_one, 100 }, { join_many, 60 }, { join_until, 30 },
    { wait_group, 30 }, { park, 100 }, { park_until, 60 },
    { ready, 200 }, { send, 100 }, { receives, 100 },
    { hold_mutex, 80 }, { sleeps, 60 }, { yields, 150 },
    { computes, 100 }, { write_pipe, 80 }, { file_io, 40 },
    { locked, 40 }, { storm_marked, 40 }, { storm_unmarked, 5 },
    { storm_block, 30 }, { storm_pin, 60 }, { storm_resize, 6 },
    { storm_stop, 25 }, { storm_forks, 1 }, { storm_process, 1 },
    { storm_dump, 2 }, { storm_quiesce, 4 }, { storm_synchronize, 20 },
    { storm_defer, 100 }, { storm_look, 100 },
};

int storm_acts(void)
{
    return sizeof acts / sizeof acts[0];
}

void storm_act_nth(struct actor *a, int k)
{
    acts[k].fn(a);
}

void storm_act(struct actor *a)
{
    uint32_t all = 0, at;
    int k = 0;

    for (int i = 0; i < storm_acts(); i++)
        all += acts[i].weight;
    for (at = roll(a, all); at >= acts[k].weight; k++)
        at -= acts[k].weight;
    storm_act_nth(a, k);
}

void storm_visit(struct actor *a)
{
    void (*const visits[])(struct actor * a) = { spawn_copy, spawn_attr, ready, send, receives,
                                                 hold_mutex, storm_stop };
    uint32_t k = roll(a, 60);

    if (k == 59)
        storm_dump(a);
    else if (k >= 55)
        visits[6](a);
    else
        visits[k % 6](a);
    happened(VISIT);
}
