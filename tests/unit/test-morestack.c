/* SPDX-License-Identifier: BSD-3-Clause
 * test-morestack.c - functions that are stopped as they begin do not know of it
 *
 * split.c is there without the check, and with it at four levels of optimisation. While the guard
 * is set, each function of it enters a body that leaves nothing in any register that a call may
 * change; still all must come to the same results. tests/abi/morestack.sh builds this with other
 * compilers and linkers.
 */
#include "preempt.h"

#include "patterns.h"
#include "tap.h"

long split_sum_plain(void);
long split_sum_O0(void);
long split_sum_O1(void);
long split_sum_O2(void);
long split_sum_O3(void);

static long entered, wrong;
static enum level level;

static void body(uintptr_t pc, uintptr_t sp, size_t frame)
{
    uintptr_t here = (uintptr_t)__builtin_frame_address(0);

    entered++;
    /* The prologue's return address lies right below the stack that the function begins on. */
    wrong += ((uintptr_t *)sp)[-1] != pc || sp < here || sp - here > 8192 || frame > 65536;
    patterns_wipe(level);
}

static void results_are_the_same(const char *name, long (*sum)(void), long want)
{
    entered = wrong = 0;
    is_int(sum(), want, "%s: without a guard", name);
    is_int(entered, 0, "%s: nothing is entered then", name);
    guard_set(GUARD_PREEMPT);
    is_int(sum(), want, "%s: each function is stopped", name);
    guard_set(0);
    ok(entered > 10, "%s: %ld times", name, entered);
    is_int(wrong, 0, "%s: and the body is told where", name);
}

static void nobody_to_ask(long want)
{
    entered = 0;
    preempt_entered(NULL);
    guard_set(GUARD_PREEMPT);
    is_int(split_sum_O2(), want, "with nobody to ask the functions just begin");
    guard_set(0);
    is_int(entered, 0, "nobody was asked");
}

int main(void)
{
    long want = split_sum_plain();

    level = best_level();
    preempt_init();
    preempt_entered(body);
    results_are_the_same("-O0", split_sum_O0, want);
    results_are_the_same("-O1", split_sum_O1, want);
    results_are_the_same("-O2", split_sum_O2, want);
    results_are_the_same("-O3", split_sum_O3, want);
    nobody_to_ask(want);
    return done_testing();
}
