/* SPDX-License-Identifier: BSD-3-Clause
 * test-core-hold.c - the world is stopped beside goroutines that never come in: they are held
 */
#include "quoit.h"

#include "tap.h"
#include "world.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { MANY = 3, STOPS = 5, SHORT_NS = 1000000, COPY_BYTES = 1 << 20 };

static const int64_t long_ns = 60 * INT64_C(1000000000);
static int stop, started;
static uint64_t steps[MANY];
static int pipe_ends[2];
static pthread_mutex_t mutexes[MANY];

static bool is_over(void)
{
    return __atomic_load_n(&stop, __ATOMIC_SEQ_CST) != 0;
}

static void starts(void)
{
    __atomic_add_fetch(&started, 1, __ATOMIC_SEQ_CST);
}

/* ---- what they do --------------------------------------------------------------------------- */

static int loops(void *arg)
{
    uint64_t *n = arg;

    starts();
    while (!is_over())
        __atomic_store_n(n, *n + 1, __ATOMIC_RELAXED);
    return 0;
}

static int copies(void *arg)
{
    char *memory = calloc(2, COPY_BYTES);
    uint64_t *n = arg;

    starts();
    while (memory != NULL && !is_over()) {
        memcpy(memory + COPY_BYTES, memory, COPY_BYTES);
        __atomic_store_n(n, *n + 1, __ATOMIC_RELAXED);
    }
    free(memory);
    return 0;
}

static int allocates(void *arg)
{
    uint64_t *n = arg;

    starts();
    while (!is_over()) {
        free(malloc(*n % 5000 + 1));
        __atomic_store_n(n, *n + 1, __ATOMIC_RELAXED);
    }
    return 0;
}

static int holds_mutex(void *arg)
{
    pthread_mutex_t *m = &mutexes[(uint64_t *)arg - steps];

    pthread_mutex_lock(m);
    loops(arg);
    pthread_mutex_unlock(m);
    return 0;
}

static int reads(void *arg)
{
    char c;

    (void)arg;
    starts();
    return read(pipe_ends[0], &c, 1) == 1 ? 0 : 1;
}

/* The library's own code, with its locks and partly outside. */
static int looks_around(void *arg)
{
    int fd = open("/dev/null", O_WRONLY), e = fd < 0;

    starts();
    while (!is_over() && e == 0) {
        e = quoit_dump(fd);
        quoit_synchronize();
        __atomic_add_fetch((uint64_t *)arg, 1, __ATOMIC_RELAXED);
    }
    close(fd);
    return e;
}

static int masks(void *arg)
{
    sigset_t all, before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    loops(arg);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return 0;
}

static int is_pinned(void *arg)
{
    quoit_pin();
    loops(arg);
    quoit_unpin();
    return 0;
}

static int gives_no_way(void *arg)
{
    quoit_preempt_disable();
    loops(arg);
    quoit_preempt_enable();
    return 0;
}

/* ---- beside them ---------------------------------------------------------------------------- */

static struct quoit_g *g[MANY];

static void all_begin(quoit_fn fn, int n)
{
    __atomic_store_n(&stop, 0, __ATOMIC_SEQ_CST);
    __atomic_store_n(&started, 0, __ATOMIC_SEQ_CST);
    for (int i = 0; i < n; i++)
        g[i] = world_go_apart(fn, &steps[i]);
    while (__atomic_load_n(&started, __ATOMIC_SEQ_CST) < n)
        quoit_sleep(SHORT_NS);
}

static void all_end(int n)
{
    __atomic_store_n(&stop, 1, __ATOMIC_SEQ_CST);
    for (int i = 0; i < n; i++)
        if (world_join(g[i]) != 0)
            bail("a read was not what it should be");
}

static uint64_t all_steps(void)
{
    uint64_t sum = 0;

    for (int i = 0; i < MANY; i++)
        sum += __atomic_load_n(&steps[i], __ATOMIC_RELAXED);
    return sum;
}

static int moves(void)
{
    uint64_t before = all_steps();
    int64_t until = world_now() + 2 * SHORT_NS;

    while (world_now() < until)
        ;
    return all_steps() != before;
}

static void are_held(quoit_fn fn, bool moving, const char *what)
{
    int held = 0, moved = 0;
    uint64_t before;

    all_begin(fn, MANY);
    for (int i = 0; i < STOPS; i++) {
        int e = quoit_stop_world(world_now() + long_ns, QUOIT_STOP_HOLD);

        held += e == MANY;
        moved += moves();
        if (e >= 0)
            quoit_start_world();
        before = all_steps();
        while (moving && all_steps() == before)
            quoit_sleep(SHORT_NS);
    }
    if (!moving && write(pipe_ends[1], "123", MANY) != MANY)
        bail("write to a pipe");
    all_end(MANY);
    is_int(held, STOPS, "who %s is held", what);
    is_int(moved, 0, "and does not go on before the start");
}

/* One of them never comes in, so all are sent signals; the others do. */
static void library_is_not_held(void)
{
    struct quoit_g *hog;
    int right = 0;

    all_begin(looks_around, MANY - 1);
    hog = world_go_apart(loops, &steps[MANY - 1]);
    while (__atomic_load_n(&started, __ATOMIC_SEQ_CST) < MANY)
        quoit_sleep(SHORT_NS);
    for (int i = 0; i < STOPS; i++) {
        int e = quoit_stop_world(world_now() + long_ns, QUOIT_STOP_HOLD);

        /* Whoever stands between two calls may be held, too. */
        right += e >= 1;
        if (e >= 0)
            quoit_start_world();
        quoit_sleep(SHORT_NS);
    }
    all_end(MANY - 1);
    world_join(hog);
    is_int(right, STOPS, "nobody is held in the library");
}

static void is_not_held(quoit_fn fn, const char *what)
{
    all_begin(fn, 1);
    is_int(quoit_stop_world(world_now() + 50 * SHORT_NS, QUOIT_STOP_HOLD), -ETIMEDOUT,
           "who %s is not", what);
    all_end(1);
}

static int body(void *arg)
{
    (void)arg;
    is_int(quoit_stop_world(world_now() + long_ns, QUOIT_STOP_HOLD), 0, "nobody has to be held");
    quoit_start_world();
    are_held(loops, true, "computes");
    are_held(copies, true, "copies memory");
    are_held(allocates, true, "allocates");
    are_held(holds_mutex, true, "has a mutex of pthreads");
    are_held(reads, false, "blocks");
    is_not_held(masks, "masks signals");
    library_is_not_held();
    return 0;
}

/* They keep their P, so there has to be another. */
static int beside(void *arg)
{
    (void)arg;
    is_not_held(is_pinned, "is pinned");
    is_not_held(gives_no_way, "gives no way");
    return 0;
}

int main(void)
{
    if (world_handlers_are_late())
        skip_all("handlers do not find what their signals interrupted");
    for (int i = 0; i < MANY; i++)
        pthread_mutex_init(&mutexes[i], NULL);
    if (pipe(pipe_ends) != 0)
        bail("no pipe");
    setenv("QUOIT_QUANTUM", "2ms", 1);
    is_int(quoit_main(body, NULL), 0, "all go on");
    is_int(world_run(2, beside, NULL), 0, "and these do");
    return done_testing();
}
