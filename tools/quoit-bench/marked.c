/* SPDX-License-Identifier: BSD-3-Clause
 * marked.c - what it costs to mark a call that might have blocked and did not
 */
#include "quoit.h"

#include "bench.h"
#include "measure.h"

static __attribute__((noinline)) uint64_t callee(uint64_t x)
{
    __asm__ volatile("" : "+r"(x));
    return x;
}

static uint64_t bare(uint64_t n)
{
    uint64_t x = 0, t0 = now_ns();

    for (uint64_t i = 0; i < n; i++)
        x = callee(x);
    return now_ns() - t0;
}

static uint64_t marked(uint64_t n)
{
    uint64_t x = 0, t0 = now_ns();

    for (uint64_t i = 0; i < n; i++) {
        quoit_syscall_enter();
        x = callee(x);
        quoit_syscall_exit();
    }
    return now_ns() - t0;
}

static int over_the_call(void *arg)
{
    const struct job *job = arg;
    uint64_t n = job->iterations, call = bare(n), with = marked(n);

    outcome_per_op(job->out, with > call ? with - call : 0, n);
    return 0;
}

const struct workload workload_marked = {
    .name = "marked",
    .about = "a short call that is marked (quoit_syscall_enter), over the call itself",
    .metrics = {{.name = "marked", .unit = "ns"}},
    .sides = {{.peer = "quoit", .run = over_the_call, .in_quoit = true}},
    .widths = ONE,
    .start = 100000,
};
