/* SPDX-License-Identifier: BSD-3-Clause
 * test-traceback.c - which calls led to a place, on the running stack and on a parked one
 */
#include "traceback.h"

#include "stack.h"

#include "lane.h"
#include "tap.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <unwind.h>

/* Instead of the scheduler's. */
struct sched sched;

static struct lane home, other;
static struct stack stk;
static struct trace t;

/* Where `fn` stands in the trace, -1: nowhere. */
static int at(void (*fn)(void *))
{
    for (uint32_t i = 0; i < t.n; i++)
        if ((uintptr_t)_Unwind_FindEnclosingFunction((void *)(t.pc[i] + 1)) == (uintptr_t)fn)
            return (int)i;
    return -1;
}

static char *said(bool inner)
{
    static char text[16 << 10];
    struct say s;
    ssize_t n;
    int fds[2];

    if (pipe(fds) != 0)
        bail("no pipe");
    say_begin(&s, fds[1]);
    trace_say(&s, &t, inner);
    say_flush(&s);
    close(fds[1]);
    n = read(fds[0], text, sizeof text - 1);
    text[n > 0 ? n : 0] = '\0';
    close(fds[0]);
    return text;
}

/* ---- the running stack ---- */

static noinline void look_from_below(void *arg unused_arg)
{
    trace_running(&t, CALLER);
    __asm__ volatile("" ::: "memory");
}

static noinline void caller(void *arg)
{
    look_from_below(arg);
    __asm__ volatile("" ::: "memory");
}

static void running(void)
{
    char want[64];

    caller(NULL);
    is_int(at(caller), 0, "the first frame is the one asked for");
    is_int(at(look_from_below), -1, "those inside are left out");
    snprintf(want, sizeof want, "    0x%zx (test-traceback+0x", (size_t)t.pc[0]);
    ok(strncmp(said(true), want, strlen(want)) == 0, "for addr2line");
    trace_running(&t, want);
    is_int(t.n, 1, "from a place that is not on the stack:");
    ok(t.pc[0] == (uintptr_t)want, "that place alone");
}

/* ---- a parked one ---- */

static noinline void park_here(void *arg unused_arg)
{
    lane_switch(&other, &home, NULL);
    __asm__ volatile("" ::: "memory");
}

/* A frame each, of two functions in turn, so that none stands for many. */
static noinline void odd(void *depth);
static noinline void even(void *depth)
{
    if (depth == NULL)
        park_here(NULL);
    else
        odd((char *)((uintptr_t)depth - 1));
    __asm__ volatile("" ::: "memory");
}

static noinline void odd(void *depth)
{
    if (depth == NULL)
        park_here(NULL);
    else
        even((char *)((uintptr_t)depth - 1));
    __asm__ volatile("" ::: "memory");
}

static noinline void again(void *depth)
{
    if (depth == NULL)
        park_here(NULL);
    else
        again((char *)((uintptr_t)depth - 1));
    __asm__ volatile("" ::: "memory");
}

static void (*first_call)(void *);

static void entry(void *arg)
{
    sanitize_arrive(&other.rec);
    first_call(arg);
    lane_end(&other, &home);
}

static void park_in(void (*fn)(void *), intptr_t depth)
{
    lane_make(&other);
    stk.low = other.low;
    stk.start = other.low + LANE_SIZE;
    first_call = fn;
    lane_begin(&home, &other, entry, (void *)depth);
    trace_parked(&t, &other.ctx, &stk);
}

static void go_on(void)
{
    lane_switch(&home, &other, NULL);
    lane_free(&other);
}

static void parked(void)
{
    park_in(odd, 1);
    is_int(at(park_here), 0, "the first frame is the one that parked");
    is_int(at(even), 1, "then its caller");
    is_int(at(odd), 2, "and so on");
    is_int(at(entry), 3, "to the entry");
    ok(t.n <= 5 && t.end == TRACE_ENTRY, "and no further");
    go_on();
}

static void long_ones(void)
{
    park_in(odd, 10 * FRAMES_MAX);
    is_int(t.n, FRAMES_MAX, "no more frames than there is room for");
    is_int(t.end, TRACE_MORE, "and it says so");
    ok(strstr(said(true), "\n    ...\n") != NULL, "in the text too");
    go_on();
    park_in(again, 10 * FRAMES_MAX);
    ok(t.n < 8 && t.again[2] > 9 * FRAMES_MAX, "a recursion counts once");
    ok(at(entry) > 0, "so what began it is told of too");
    ok(strstr(said(true), " times more\n") != NULL, "with how often");
    go_on();
}

/* ---- in place ---- */

static struct context host;

static noinline int in_place(void *arg)
{
    park_here(arg);
    return 0;
}

static noinline void joiner(void *arg)
{
    context_call(&host, in_place, arg);
    __asm__ volatile("" ::: "memory");
}

static void cut_at_the_joiner(void)
{
    park_in(joiner, 0);
    is_int(at(park_here), 0, "what runs in place");
    is_int(t.n, 2, "ends where its joiner's frames begin");
    is_int(at(joiner), -1, "which are not its own");
    trace_parked(&t, &host, &stk);
    is_int(at(joiner), 0, "and the joiner's are found by its own context");
    is_int(at(entry), 1, "to the entry");
    go_on();
}

/* ---- bad ones ---- */

static void bad(void)
{
    struct context_frame frame = { .pc = NULL };
    struct context nowhere = { &frame };

    park_in(odd, 0);
    trace_parked(&t, &nowhere, &stk);
    ok(t.n == 0 && t.end == TRACE_BAD, "a context that is not on the stack");
    ok(strstr(said(true), "overwritten") != NULL, "is called so");
    stk.start = (char *)other.ctx.sp + sizeof(struct context_frame) + 1;
    trace_parked(&t, &other.ctx, &stk);
    ok(t.end == TRACE_BAD, "and a frame that is not");
    go_on();
}

int main(void)
{
    lane_self(&home);
    running();
    parked();
    long_ones();
    cut_at_the_joiner();
    bad();
    return done_testing();
}
