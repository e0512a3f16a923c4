/* SPDX-License-Identifier: BSD-3-Clause
 * yardstick.c - what the hardware and the kernel charge, beside which the other figures are read
 *
 * Absolute figures drift from run to run and differ between machines; these are
 * measured in every run, so that a figure can be stated in calls, switches or
 * system calls.
 */
#include <stdatomic.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "context.h"

#include "bench.h"
#include "measure.h"
#include "pages.h"

static __attribute__((noinline)) uint64_t callee(uint64_t x)
{
    __asm__ volatile("" : "+r"(x));
    return x;
}

static int call(void *arg)
{
    const struct job *job = arg;
    uint64_t x = 0, t0 = now_ns();

    for (uint64_t i = 0; i < job->iterations; i++)
        x = callee(x);
    outcome_per_op(job->out, now_ns() - t0, job->iterations);
    return 0;
}

static struct context here, there;

/* Both sides switch from one place in the code, as goroutines of one function
 * do: else the processor guesses the return of each switch wrongly, and that is
 * measured instead. */
static __attribute__((noinline)) void turns(struct context *from, struct context *to, uint64_t n)
{
    for (uint64_t i = 0; i < n; i++)
        context_switch(from, to, NULL);
}

/* What the compiler knows of the arguments it would make a copy of turns() for. */
static void *unknown(void *p)
{
    __asm__ volatile("" : "+r"(p));
    return p;
}

static void other_side(void *arg)
{
    for (;;)
        turns(unknown(&there), unknown(&here), (uintptr_t)unknown(arg));
}

/* Two switches a turn, there and back; the figure is that of one. */
static int bare_switch(void *arg)
{
    static char stack[16384] __attribute__((aligned(16)));
    const struct job *job = arg;
    uint64_t t0, n = job->iterations / 2 + 1;

    context_begin(unknown(&here), stack + sizeof(stack), other_side, (void *)UINTPTR_MAX);
    t0 = now_ns();
    turns(unknown(&here), unknown(&there), n);
    outcome_per_op(job->out, now_ns() - t0, 2 * n);
    return 0;
}

static int getppid_calls(void *arg)
{
    const struct job *job = arg;
    uint64_t t0 = now_ns();

    for (uint64_t i = 0; i < job->iterations; i++)
        syscall(SYS_getppid);
    outcome_per_op(job->out, now_ns() - t0, job->iterations);
    return 0;
}

/* The two locked operations that no lock can do without. */
static int caspair(void *arg)
{
    static atomic_int word __attribute__((aligned(64)));
    const struct job *job = arg;
    uint64_t t0 = now_ns(), n = job->iterations;

    for (uint64_t i = 0; i < n; i++) {
        int expected = 0;

        if (!atomic_compare_exchange_strong(&word, &expected, 1) || atomic_exchange(&word, 0) != 1)
            return outcome_wrong(job->out, "a compare-and-swap failed that nobody raced");
    }
    outcome_per_op(job->out, now_ns() - t0, n);
    return 0;
}

static int touch(void *arg)
{
    const struct job *job = arg;
    uint64_t ns;
    int err = touch_pages(job->iterations, &ns);

    if (!err)
        outcome_per_op(job->out, ns, job->iterations);
    return err;
}

const struct workload workload_call = {
    .name = "call",
    .about = "a call of a function that is not inlined, in a loop",
    .heading = "What this machine charges",
    .metrics = {{.name = "call",
                 .unit = "ns",
                 .means = "A plain function call: the smallest step there is.",
                 .tour = true}},
    .sides = {{.peer = "yardstick", .run = call}},
    .widths = ONE,
    .start = 1000000,
};

const struct workload workload_switch = {
    .name = "switch",
    .about = "one bare switch between two stacks, six registers saved",
    .heading = "What this machine charges",
    .metrics = {{.name = "switch",
                 .unit = "ns",
                 .means = "From one stack to another: no goroutine can be cheaper to switch to.",
                 .tour = true}},
    .sides = {{.peer = "yardstick", .run = bare_switch}},
    .widths = ONE,
    .start = 1000000,
};

const struct workload workload_getppid = {
    .name = "getppid",
    .about = "the cheapest system call",
    .heading = "What this machine charges",
    .metrics = {{.name = "getppid",
                 .unit = "ns",
                 .means = "A system call that does nothing.",
                 .tour = true}},
    .sides = {{.peer = "yardstick", .run = getppid_calls}},
    .widths = ONE,
    .start = 100000,
};

const struct workload workload_caspair = {
    .name = "caspair",
    .about = "a compare-and-swap and an exchange, uncontended",
    .metrics = {{.name = "caspair", .unit = "ns"}},
    .sides = {{.peer = "yardstick", .run = caspair}},
    .widths = ONE,
    .start = 1000000,
};

/* As many pages as a second takes at most; with `park` its own runs measure as
 * many as it has goroutines. */
const struct workload workload_touch = {
    .name = "touch",
    .about =
        "the first touch of a fresh page (over as many pages as park has goroutines, with park)",
    .metrics = {{.name = "touch", .unit = "ns"}},
    .sides = {{.peer = "yardstick", .run = touch}},
    .widths = ONE,
    .start = 25000,
    .fixed = true,
};
