/* SPDX-License-Identifier: BSD-3-Clause
 * test-core-outside.c - others go on while a goroutine blocks in foreign code
 *
 * Each of these blocks until another goroutine, on the same only P, has done its part: a P that
 * is not taken is a test that hangs.
 */
#include "quoit.h"

#include "child.h"
#include "tap.h"
#include "world.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { MANY = 40, ROUNDS = 40, SHORT_NS = 1000000, QUICK = 20000 };

#define SECOND_NS INT64_C(1000000000)
#define LONG_NS   (60 * SECOND_NS)

static quoit_wg wg;

static __attribute__((noinline)) int errno_now(void)
{
    return errno;
}

static __attribute__((noinline)) void errno_set(int e)
{
    errno = e;
}

static void pipe_or_bail(int fds[2])
{
    if (pipe(fds) != 0)
        bail("pipe");
}

static uint64_t retakes(void)
{
    struct quoit_stats st = { .size = sizeof st };

    quoit_stats(&st);
    return st.retakes;
}

/* ---- others run meanwhile ------------------------------------------------------------------- */

struct call {
    int fds[2];
    bool marked;
    int e; /* of errno at the end, as it was set in the call */
};

static int blocks(void *arg)
{
    struct call *c = arg;
    char byte;

    if (c->marked)
        quoit_syscall_enter();
    if (read(c->fds[0], &byte, 1) != 1)
        bail("read");
    errno_set(EXDEV);
    if (c->marked)
        quoit_syscall_exit();
    c->e = errno_now();
    return 0;
}

/* Whoever writes comes behind the call on the only P. */
static int writes_plainly(void *arg)
{
    const struct call *c = arg;

    if (write(c->fds[1], "x", 1) != 1)
        bail("write");
    return 0;
}

static void one_blocks(bool marked, const char *what)
{
    struct call c = { .marked = marked };
    int wrong = 0;

    pipe_or_bail(c.fds);
    for (int i = world_rounds(ROUNDS); i > 0; i--) {
        struct quoit_g *g = world_go_apart(blocks, &c);

        quoit_yield();
        world_join(world_go_apart(writes_plainly, &c));
        world_join(g);
        wrong += c.e != EXDEV;
    }
    ok(true, "others run while one is in %s", what);
    is_int(wrong, 0, "and errno is kept");
    close(c.fds[0]);
    close(c.fds[1]);
}

static int stop;

static int yields(void *arg)
{
    (void)arg;
    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED))
        quoit_yield();
    quoit_wg_done(&wg);
    return 0;
}

/* More blocked than there are P's, beside others that always have work. */
static void many_block(bool marked, const char *what)
{
    struct quoit_g *g[MANY];
    struct call c[MANY];
    int wrong = 0;

    stop = 0;
    quoit_wg_add(&wg, 2);
    world_spawn(yields, NULL);
    world_spawn(yields, NULL);
    for (int i = 0; i < MANY; i++) {
        c[i] = (struct call){ .marked = marked };
        pipe_or_bail(c[i].fds);
        g[i] = world_go_apart(blocks, &c[i]);
    }
    for (int i = 0; i < MANY; i++)
        quoit_yield();
    for (int i = MANY; i-- > 0;)
        writes_plainly(&c[i]);
    for (int i = 0; i < MANY; i++) {
        world_join(g[i]);
        wrong += c[i].e != EXDEV;
        close(c[i].fds[0]);
        close(c[i].fds[1]);
    }
    __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
    quoit_wg_wait(&wg);
    is_int(wrong, 0, "%d in %s, and each keeps its errno", MANY, what);
}

/* ---- threads -------------------------------------------------------------------------------- */

static bool threads_fall_to(int n)
{
    int64_t until = world_now() + LONG_NS;

    while (quoit_num_thread() > n && world_now() < until)
        quoit_sleep(SHORT_NS);
    return quoit_num_thread() <= n;
}

static void threads_come_and_go(int procs)
{
    for (int i = 0; i < 6; i++)
        many_block(true, "marked calls");
    /* One of those that block may start before one that was woken has slept. */
    ok(quoit_num_thread() <= 2 * MANY, "threads are used again: %d for 6 times %d calls",
       quoit_num_thread(), MANY);
    /* As many idle ones as there are P's are kept, and who runs. */
    ok(threads_fall_to(2 * procs + 1), "and leave when nothing needs them: %d are left",
       quoit_num_thread());
    one_blocks(true, "a marked call, with few threads again");
}

/* ---- pinned --------------------------------------------------------------------------------- */

static void pinned_keeps_its_p(void)
{
    struct timespec t = { 0, 30 * SHORT_NS };
    int moved = 0;

    stop = 0;
    quoit_wg_add(&wg, 4);
    for (int i = 0; i < 4; i++)
        world_spawn(yields, NULL);
    for (int i = 0; i < 5; i++) {
        int p = quoit_pin();

        nanosleep(&t, NULL);
        moved += quoit_pin() != p;
        quoit_unpin();
        quoit_unpin();
    }
    __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
    quoit_wg_wait(&wg);
    is_int(moved, 0, "a P is not taken while its goroutine is pinned");
}

/* ---- short calls ---------------------------------------------------------------------------- */

static void short_calls(void)
{
    uint64_t before = retakes();
    int wrong = 0;

    for (int i = 0; i < QUICK; i++) {
        quoit_syscall_enter();
        errno_set(i);
        quoit_syscall_exit();
        wrong += errno_now() != i;
    }
    is_int(wrong, 0, "calls that do not block keep errno");
    ok(retakes() - before < QUICK / 100, "and their P: it was taken %d times of %d",
       (int)(retakes() - before), QUICK);
}

/* ---- misuse --------------------------------------------------------------------------------- */

static int enters_twice(void *arg)
{
    (void)arg;
    quoit_syscall_enter();
    quoit_syscall_enter();
    return 0;
}

static int enters_pinned(void *arg)
{
    (void)arg;
    quoit_pin();
    quoit_syscall_enter();
    return 0;
}

static int run(void *fn)
{
    return quoit_main(*(quoit_fn *)fn, NULL);
}

static int outside(void *arg)
{
    (void)arg;
    quoit_syscall_enter();
    return 0;
}

static void dies(int (*fn)(void *), quoit_fn what, const char *said)
{
    struct child c;

    child_run(&c, fn, &what);
    is_int(child_end(&c), 2, "misuse ends the program");
    if (!ok(child_said(&c, said), "and says: %s", said))
        diag("%s", c.said);
}

/* ---- all of it ------------------------------------------------------------------------------ */

static int body(void *arg)
{
    (void)arg;
    one_blocks(true, "a marked call");
    one_blocks(false, "an unmarked call");
    /* With another P the call may keep its own. */
    if (world_procs() == 1)
        ok(retakes() > 0, "the P was taken");
    short_calls();
    pinned_keeps_its_p();
    many_block(false, "unmarked calls");
    threads_come_and_go(world_procs());
    return 7;
}

/* Two at a time may be without their P: the others wait with theirs, and come to their turn. */
static int few_at_a_time(void *arg)
{
    struct timespec t = { 0, SHORT_NS };

    (void)arg;
    quoit_syscall_enter();
    nanosleep(&t, NULL);
    quoit_syscall_exit();
    quoit_wg_done(&wg);
    return 0;
}

static int bounded(void *arg)
{
    (void)arg;
    quoit_wg_add(&wg, MANY);
    for (int i = 0; i < MANY; i++)
        world_spawn(few_at_a_time, NULL);
    quoit_wg_wait(&wg);
    /* Those two, who runs or is idle for each P, and who was woken in between. */
    ok(quoit_num_thread() <= 2 * world_procs() + 4, "%d threads for %d calls, two at a time",
       quoit_num_thread(), MANY);
    return 8;
}

static int begun;

static int begins_and_blocks(void *arg)
{
    __atomic_fetch_add(&begun, 1, __ATOMIC_RELAXED);
    return blocks(arg);
}

/* A quantum is a second here: were each to have its P until it has stood still for one, all would
 * take MANY of them. */
static int first_teaches(void *arg)
{
    struct quoit_g *g[MANY];
    struct call one = { .marked = false }, c[MANY];
    int64_t since = world_now(), ns;

    (void)arg;
    pipe_or_bail(one.fds);
    for (int i = 0; i < MANY; i++) {
        c[i] = one;
        g[i] = world_go_apart(begins_and_blocks, &c[i]);
    }
    while (__atomic_load_n(&begun, __ATOMIC_RELAXED) < MANY)
        quoit_yield();
    ns = world_now() - since;
    for (int i = 0; i < MANY; i++)
        writes_plainly(&one);
    for (int i = 0; i < MANY; i++)
        world_join(g[i]);
    close(one.fds[0]);
    close(one.fds[1]);
    if (world_procs() <= 2)
        ok(ns < SECOND_NS * MANY / 4, "the first that stands still speaks for all");
    return 9;
}

int main(void)
{
    dies(run, enters_twice, "quoit_syscall_enter: in a marked call already");
    dies(run, enters_pinned, "quoit_syscall_enter: may not wait");
    dies(outside, outside, "quoit_syscall_enter: called by a thread that is no goroutine");
    is_int(quoit_main(body, NULL), 7, "the program ends");
    setenv("QUOIT_MAXBLOCKED", "2", 1);
    is_int(quoit_main(bounded, NULL), 8, "and so does one with a bound");
    unsetenv("QUOIT_MAXBLOCKED");
    setenv("QUOIT_QUANTUM", "1s", 1);
    if (access("/proc/self/stat", R_OK) == 0)
        is_int(quoit_main(first_teaches, NULL), 9, "and one with a long quantum");
    else
        skip("who stands still like others: /proc does not tell who sleeps");
    return done_testing();
}
