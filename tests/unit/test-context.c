/* SPDX-License-Identifier: BSD-3-Clause
 * test-context.c - a switch keeps what it promises, and every stack can be walked to its entry
 */
#include "lane.h"

#include "hop.h"
#include "tap.h"

#include <execinfo.h>
#include <signal.h>
#include <string.h>
#include <unwind.h>

static struct lane home;
static struct lane other;

/* ---- registers ---- */

#define HOPS 100000

static uint64_t damage;

static uint64_t hop_lanes(struct lane *from, struct lane *to, uint64_t seed)
{
    uint64_t diff;

    sanitize_leave(&from->rec, &to->rec, false);
    diff = hop(&from->ctx, &to->ctx, seed);
    sanitize_arrive(&from->rec);
    return diff;
}

static void hopper(void *arg unused_arg)
{
    sanitize_arrive(&other.rec);
    for (uint64_t seed = 1;; seed++)
        damage |= hop_lanes(&other, &home, ~seed << 32);
}

static void registers_survive(void)
{
    lane_make(&other);
    lane_begin(&home, &other, hopper, NULL);
    for (uint64_t seed = 1; seed <= HOPS; seed++)
        damage |= hop_lanes(&home, &other, seed << 20);
    ok(damage == 0, "registers_survive %d switches there and back", HOPS);
}

/* Parked with the seed of the last hop in its registers. */
static void frame_is_as_declared(void)
{
    uint64_t seed = ~(uint64_t)(HOPS + 1) << 32;
    const struct context_frame *f = other.ctx.sp;
    uintptr_t pc = (uintptr_t)f->pc;

    ok(frame_sum(&other.ctx) == HOP_REGS * seed + HOP_REGS * (HOP_REGS + 1) / 2,
       "frame_is_as_declared: registers");
    ok(pc > (uintptr_t)hop && pc < (uintptr_t)hop + 1024, "frame_is_as_declared: pc");
    lane_free(&other);
}

/* ---- entry and arguments ---- */

static uintptr_t entry_frame;

static void answerer(void *arg)
{
    sanitize_arrive(&other.rec);
    entry_frame = (uintptr_t)__builtin_frame_address(0);
    for (char *p = arg;;)
        p = lane_switch(&other, &home, p + 1);
}

static void arguments_pass_both_ways(void)
{
    char text[8];
    bool right;

    lane_make(&other);
    right = lane_begin(&home, &other, answerer, text) == text + 1;
    for (int i = 1; i < 7; i++)
        right = right && lane_switch(&home, &other, text + i) == text + i + 1;
    ok(right, "arguments_pass_both_ways");
    ok(entry_frame % 16 == 0, "stack_is_aligned_at_entry");
    lane_free(&other);
}

/* ---- a chain: each begins the next, the last goes home ---- */

#define LINKS 1000

static struct lane chain[LINKS];
static int began, resumed;

static void link_of_chain(void *arg)
{
    struct lane *me = arg;
    struct lane *next = me + 1 < chain + LINKS ? me + 1 : &home;

    sanitize_arrive(&me->rec);
    began++;
    if (next == &home)
        lane_switch(me, &home, NULL);
    else
        lane_begin(me, next, link_of_chain, next);
    resumed++;
    lane_end(me, next);
}

static void chain_of_a_thousand(void)
{
    for (int i = 0; i < LINKS; i++)
        lane_make(&chain[i]);
    lane_begin(&home, &chain[0], link_of_chain, &chain[0]);
    ok(began == LINKS && resumed == 0, "begin_from_begin: %d contexts deep", LINKS);
    lane_switch(&home, &chain[0], NULL);
    ok(resumed == LINKS, "each of them goes on where it began the next");
    for (int i = 0; i < LINKS; i++)
        lane_free(&chain[i]);
}

/* ---- unwinding ---- */

#define DEPTH 64

struct walk {
    uintptr_t pc[DEPTH];
    int n;
    _Unwind_Reason_Code end;
};

static _Unwind_Reason_Code note_frame(struct _Unwind_Context *u, void *arg)
{
    struct walk *w = arg;

    if (w->n == DEPTH)
        return _URC_NORMAL_STOP;
    w->pc[w->n++] = _Unwind_GetIP(u);
    return _URC_NO_REASON;
}

static noinline void walk_here(struct walk *w)
{
    w->n = 0;
    w->end = _Unwind_Backtrace(note_frame, w);
}

#define FN(f) ((uintptr_t)(f))

/* The start of the function that contains the instruction before pc. */
static uintptr_t function_of(uintptr_t pc)
{
    return (uintptr_t)_Unwind_FindEnclosingFunction((void *)pc);
}

/* The index of the frame that belongs to `fn`, -1 if there is none. */
static int frame_of(const struct walk *w, uintptr_t fn)
{
    for (int i = 0; i < w->n; i++)
        if (function_of(w->pc[i]) == fn)
            return i;
    return -1;
}

/* entry is called by context_begin, with nothing above that; unwinders may give a last pc of 0. */
static bool ends_at_entry(const struct walk *w, uintptr_t entry)
{
    int at = frame_of(w, entry);

    if (w->end != _URC_END_OF_STACK || at < 0 || frame_of(w, FN(context_begin)) != at + 1)
        return false;
    return w->n == at + 2 || (w->n == at + 3 && w->pc[at + 2] == 0);
}

/* ---- a call that can be left from any depth ---- */

static struct context back;

static int return_early(int depth)
{
    struct context left;

    if (depth > 0)
        return return_early(depth - 1) + depth;
    sanitize_cut();
    context_switch(&left, &back, (void *)(intptr_t)-7);
    return 0;
}

static int leave_from(void *depth)
{
    return *(int *)depth < 0 ? *(int *)depth : return_early(*(int *)depth);
}

static struct walk called;

/* The index of the frame that context_call is. */
static int find_called(void *arg unused_arg)
{
    walk_here(&called);
    return frame_of(&called, FN(context_call));
}

static void calls_return_late_or_early(void)
{
    int ordinary = -3, deep = 100, got;

    got = context_call(&back, leave_from, &ordinary);
    is_int(got, -3, "context_call returns what the function returns");
    got = context_call(&back, find_called, NULL);
    ok(got > 0 && called.pc[got] == (uintptr_t)context_called,
       "and a walk from below finds where it returns to");
    got = context_call(&back, leave_from, &deep);
    is_int(got, -7, "context_call returns early with what the switch carries");
}

static struct walk first, second, by_libc;

static noinline void walk_deeper(void)
{
    walk_here(&first);
    lane_switch(&other, &home, NULL);
    walk_here(&second);
    by_libc.n = backtrace((void **)by_libc.pc, DEPTH);
    by_libc.end = _URC_END_OF_STACK;
    lane_switch(&other, &home, NULL);
}

static void walker(void *arg unused_arg)
{
    sanitize_arrive(&other.rec);
    walk_deeper();
    lane_end(&other, &home);
}

static void show_here(void *arg)
{
    struct walk *w = arg;

    w->n = 0;
    w->end = _Unwind_Backtrace(note_frame, w);
}

static void walks_end_at_entry(void)
{
    struct walk mine, shown;

    lane_make(&other);
    lane_begin(&home, &other, walker, NULL);
    ok(ends_at_entry(&first, FN(walker)) && frame_of(&first, FN(walk_deeper)) >= 0,
       "unwinding_ends_at_entry on a new stack");
    context_show(&other.ctx, show_here, &shown);
    ok(ends_at_entry(&shown, FN(walker)) && frame_of(&shown, FN(walk_deeper)) == 2,
       "a parked stack is walked from another one");
    lane_switch(&home, &other, NULL);
    ok(ends_at_entry(&second, FN(walker)) && frame_of(&second, FN(walk_deeper)) >= 0,
       "unwinding_ends_at_entry on a resumed stack");
    ok(ends_at_entry(&by_libc, FN(walker)), "backtrace() ends there too");
    walk_here(&mine);
    ok(mine.end == _URC_END_OF_STACK && frame_of(&mine, FN(walks_end_at_entry)) >= 0,
       "the thread's own stack is walked as ever");
    lane_switch(&home, &other, NULL);
    lane_free(&other);
}

/* ---- every instruction of a switch ---- */

#if defined(__x86_64__) && !defined(SANITIZE_TSAN)

#include <ucontext.h>

static struct walk at_step;
static int steps_home, steps_other, bad_steps;

static noinline void stepped_entry(void *arg unused_arg)
{
    sanitize_arrive(&other.rec);
    lane_switch(&other, &home, NULL);
    lane_end(&other, &home);
}

/* Looks at what the switch returned, so that the last one is no tail call. */
static noinline bool stepped_home(void)
{
    lane_begin(&home, &other, stepped_entry, NULL);
    return lane_switch(&home, &other, NULL) == NULL;
}

static void on_step(int sig unused_arg, siginfo_t *info unused_arg, void *ucontext)
{
    uintptr_t pc = (uintptr_t)((ucontext_t *)ucontext)->uc_mcontext.gregs[REG_RIP];
    uintptr_t fn = function_of(pc + 1);

    if (fn != FN(context_switch) && fn != FN(context_begin))
        return;
    walk_here(&at_step);
    if (frame_of(&at_step, FN(stepped_home)) >= 0)
        steps_home += at_step.end == _URC_END_OF_STACK;
    else if (ends_at_entry(&at_step, FN(stepped_entry)))
        steps_other++;
    else if (fn == FN(context_begin) && frame_of(&at_step, fn) == at_step.n - 2)
        steps_other++; /* the new stack is empty: there is nothing but context_begin yet */
    else
        bad_steps++;
}

/* The trap flag: a SIGTRAP after each instruction. The red zone is stepped over. */
static always_inline void trap_each_instruction(bool on)
{
    if (on)
        __asm__ volatile("leaq -128(%%rsp), %%rsp\n\tpushfq\n\torq $0x100, (%%rsp)\n\t"
                         "popfq\n\tleaq 128(%%rsp), %%rsp" ::: "memory", "cc");
    else
        __asm__ volatile("leaq -128(%%rsp), %%rsp\n\tpushfq\n\tandq $~0x100, (%%rsp)\n\t"
                         "popfq\n\tleaq 128(%%rsp), %%rsp" ::: "memory", "cc");
}

static void tables_hold_at_every_instruction(void)
{
    static char handler_stack[256 << 10];
    stack_t alt = {.ss_sp = handler_stack, .ss_size = sizeof handler_stack};
    struct sigaction act = {.sa_sigaction = on_step, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    bool back;

    lane_make(&other);
    if (other.rec.valgrind_id) {
        skip("tables_hold_at_every_instruction: Valgrind knows no trap flag");
        lane_free(&other);
        return;
    }
    sigaltstack(&alt, NULL);
    sigaction(SIGTRAP, &act, NULL);
    trap_each_instruction(true);
    back = stepped_home();
    trap_each_instruction(false);
    signal(SIGTRAP, SIG_DFL);
    lane_free(&other);
    ok(back && bad_steps == 0 && steps_home > 0 && steps_other > 0,
       "tables_hold_at_every_instruction: %d steps here, %d there, %d wrong", steps_home,
       steps_other, bad_steps);
}

#else

static void tables_hold_at_every_instruction(void)
{
    skip("tables_hold_at_every_instruction: needs the trap flag of x86_64, and no TSan, which "
            "holds signals back");
}

#endif

int main(void)
{
    plan_tests(16);
    lane_self(&home);
    registers_survive();
    frame_is_as_declared();
    arguments_pass_both_ways();
    chain_of_a_thousand();
    calls_return_late_or_early();
    walks_end_at_entry();
    tables_hold_at_every_instruction();
    return done_testing();
}
