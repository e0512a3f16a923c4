/* SPDX-License-Identifier: BSD-3-Clause
 * forkjoin.c - fib(30), a goroutine for one half of each call
 *
 * The shape of divide and conquer with no work in it. `forkjoin` joins the
 * child, which lets the parent run it in place when nobody took it;
 * `forkjoin-wg` waits by a wait group and so always pays for a child that runs
 * elsewhere. The other half is a plain call.
 */
#include "quoit.h"

#include "bench.h"
#include "measure.h"

enum { FULL = 30 };

struct call {
    int n;
    long r;
};

struct waited {
    struct call call;
    quoit_wg *wg;
};

static int joined(void *arg)
{
    struct call *c = arg, left = {c->n - 1, 0}, right = {c->n - 2, 0};
    struct quoit_attr attr = QUOIT_ATTR_INIT;
    struct quoit_g *child;
    int err;

    if (c->n < 2) {
        c->r = c->n;
        return 0;
    }
    attr.handle = &child;
    err = quoit_go_attr(&attr, joined, &left);
    if (err)
        return err;
    err = joined(&right);
    if (err) {
        quoit_join(child, NULL);
        return err;
    }
    quoit_join(child, &err);
    c->r = left.r + right.r;
    return err;
}

static int waited_child(void *arg);

static int waited(void *arg)
{
    struct call *c = arg;
    quoit_wg wg = QUOIT_WG_INIT;
    struct waited left = {{c->n - 1, 0}, &wg};
    struct call right = {c->n - 2, 0};
    int err, err_right;

    if (c->n < 2) {
        c->r = c->n;
        return 0;
    }
    quoit_wg_add(&wg, 1);
    err = quoit_go(waited_child, &left);
    if (err)
        return err;
    err_right = waited(&right);
    quoit_wg_wait(&wg);
    c->r = left.call.r + right.r;
    return err_right;
}

/* A failure below shows as a wrong sum. */
static int waited_child(void *arg)
{
    struct waited *w = arg;

    waited(&w->call);
    quoit_wg_done(w->wg);
    return 0;
}

/* fib(n) by calls spawns fib(n + 1) - 1 goroutines. */
static long fib(int n)
{
    long a = 0, b = 1;

    while (n-- > 0) {
        long sum = a + b;

        a = b;
        b = sum;
    }
    return a;
}

/* The whole of fib(30) as often as asked for; a smaller one where that would be
 * too many. */
static int rounds(const struct job *job, quoit_fn root)
{
    int n = FULL;
    uint64_t each, times, t0;

    while (n > 2 && (uint64_t)fib(n + 1) - 1 > job->iterations)
        n--;
    each = (uint64_t)fib(n + 1) - 1;
    times = (job->iterations + each / 2) / each;
    times = times ? times : 1;
    t0 = now_ns();
    for (uint64_t i = 0; i < times; i++) {
        struct call c = {n, 0};
        int err = root(&c);

        if (err)
            return err;
        if (c.r != fib(n))
            return outcome_wrong(job->out, "fib(%d) came out as %ld", n, c.r);
    }
    outcome_per_op(job->out, now_ns() - t0, times * each);
    return 0;
}

static int forkjoin(void *job)
{
    return rounds(job, joined);
}

static int forkjoin_wg(void *job)
{
    return rounds(job, waited);
}

const struct workload workload_forkjoin = {
    .name = "forkjoin",
    .about = "fib(30) with a joined goroutine per call: one goroutine",
    .heading = "Divide and conquer",
    .metrics = {{.name = "forkjoin",
                 .unit = "ns",
                 .means = "fib(30) spawns and joins 1.3 million goroutines; this is one of them.",
                 .tour = true}},
    .sides = {{.peer = "quoit", .run = forkjoin, .in_quoit = true}},
    .widths = ONE | ALL,
    .start = 1346268,
};

const struct workload workload_forkjoin_wg = {
    .name = "forkjoin-wg",
    .about = "fib(30) with a child and a wait group per call, never in place: one goroutine",
    .metrics = {{.name = "forkjoin-wg", .unit = "ns"}},
    .sides = {{.peer = "quoit", .run = forkjoin_wg, .in_quoit = true}},
    .widths = ONE | ALL,
    .start = 1346268,
};
