/* SPDX-License-Identifier: BSD-3-Clause
 * test-stack.c - stacks: sizes, reuse, guards, limits, and kernels that refuse
 */
#include "stacks.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

static void classes_hold_what_they_say(void)
{
    start(GUARD_CANARY, 0, 0);
    is_int(stack_class(1), 0, "a byte");
    is_int(stack_class(16 * K), 0, "16 KiB");
    is_int(stack_class(16 * K + 1), 1, "a byte more");
    is_int(stack_class(0), stack_class(64 * K), "the default is 64 KiB");
    is_int(stack_class((size_t)1 << 30), STACK_CLASSES - 1, "1 GiB is the last");
    is_int(stack_class(((size_t)1 << 30) + 1), -EINVAL, "and nothing is beyond");
    for (int class = 0; class < STACK_CLASSES; class++) {
        struct stack *s = stack_get(&ps[0], class);

        if (!ok(s != NULL, "a stack of class %d", class))
            continue;
        ok(stack_usable(s) >= stack_class_bytes(class), "has room for what it says");
        is_int((uintptr_t)s->start % 16, 0, "starts aligned");
        memset(s->start - 4096, 1, 4096);
        *s->low = 1;
        stack_put(&ps[0], s);
        ok(stack_get(&ps[0], class) == s, "and is the next one again");
        stack_put(&ps[0], s);
    }
    stack_fini();
    start(GUARD_AUTO, 200 * K, 0);
    is_int(stack_class(0), 4, "a default from the environment is rounded up to a class");
    stack_fini();
}

static void stacks_do_not_overlap(void)
{
    unsigned colours = 0;
    bool apart = true, kept = true;

    start(GUARD_AUTO, 0, 0);
    is_int(take(&ps[0], MANY), MANY, "many stacks");
    for (int i = 0; i < MANY; i++) {
        memset(held[i]->low, i, 64);
        memset(held[i]->start - 64, i, 64);
        colours |= 1u << (uintptr_t)held[i]->start % 4096 / 64 % 32;
        for (int k = 0; k < i; k++)
            apart &= held[i]->start <= held[k]->low || held[k]->start <= held[i]->low;
    }
    for (int i = 0; i < MANY; i++)
        kept &= held[i]->low[63] == (char)i && held[i]->start[-1] == (char)i;
    ok(apart, "none lies in another");
    ok(kept, "none is written by another");
    ok(__builtin_popcount(colours) >= 16, "they start at many places of a page");
    give(&ps[0], MANY);
    stack_fini();
}

static void magazines_move(void)
{
    struct stack *last;

    start(GUARD_AUTO, 0, 0);
    last = stack_get(&ps[0], stack_default_class);
    stack_put(&ps[0], last);
    ok(stack_get(&ps[0], stack_default_class) == last, "the last one freed is the next one used");
    stack_put(&ps[0], last);
    is_int(take(&ps[0], MANY), MANY, "many stacks");
    is_int(numbers().live, MANY, "are in use");
    give(&ps[0], MANY);
    is_int(numbers().live, 0, "and then none is");
    ok(numbers().cached >= MANY, "all are kept");
    fail_never();
    is_int(take(&ps[0], MANY), MANY, "as many again");
    is_int(fail_count(FAIL_GUARD) + fail_count(FAIL_PROCESS_MADVISE) + fail_count(FAIL_MMAP), 0,
           "cost no system call");
    give(&ps[0], MANY);
    stack_purge(&ps[0]);
    is_int(numbers().live, 0, "a P gives all to its node");
    is_int(ps[0].stacks.n, 0, "and keeps none");
    is_int(take(&ps[0], MANY), MANY, "from where they come again");
    stack_fini();
}

static void stacks_go_home(void)
{
    bool home = true;

    start(GUARD_AUTO, 0, 0);
    is_int(take(&ps[1], MANY), MANY, "many stacks of one node");
    for (int i = 0; i < MANY; i++)
        home &= held[i]->node == 1;
    ok(home, "say so");
    give(&ps[0], MANY);
    is_int(numbers().live, 0, "freed on the other node");
    is_int(ps[0].stacks.n, 0, "its P keeps none of them");
    ok(ps[0].nawaystacks < STACK_AWAY_MAX, "but a few to be sent");
    stack_purge(&ps[0]);
    is_int(ps[0].nawaystacks, 0, "which it gives at the end");
    fail_never();
    is_int(take(&ps[1], MANY), MANY, "the first node");
    is_int(fail_count(FAIL_PROCESS_MADVISE) + fail_count(FAIL_GUARD), 0, "has them again");
    stack_fini();
}

/* ---- guards --------------------------------------------------------------------------------- */

static void each_level_guards(void)
{
    start(GUARD_MPROTECT, 0, 0);
    take(&ps[0], MANY);
    ok(has_guard(held[0]) && has_guard(held[MANY - 1]), "mprotect");
    is_int(numbers().bare, 0, "none is bare");
    stack_fini();
    start(GUARD_CANARY, 0, 0);
    take(&ps[0], MANY);
    ok(has_canary(held[0]) && has_canary(held[MANY - 1]), "canary");
    ok(numbers().bare >= MANY, "all are bare");
    stack_check(held[1]);
    ok(true, "a stack that was not overrun passes");
    stack_fini();
    start(GUARD_AUTO, 0, 0);
    take(&ps[0], MANY);
    ok(has_guard(held[0]) && has_guard(held[MANY - 1]), "auto");
    is_int(numbers().bare, 0, "none is bare");
    stack_fini();
}

static void batches_cost_one_call(void)
{
    start(GUARD_AUTO, 0, 0);
    take(&ps[0], MANY);
    fail_never();
    take(&ps[0], MANY);
    if (fail_count(FAIL_MPROTECT) > 0)
        skip("the kernel has no MADV_GUARD_INSTALL");
    else if (fail_count(FAIL_GUARD) > 0)
        skip("the kernel has no process_madvise on the own process");
    else
        ok(fail_count(FAIL_PROCESS_MADVISE) <= MANY / STACK_MAGAZINE + 2, "a call for 64 stacks");
    stack_fini();
}

static void refused_batches_are_guarded_singly(void)
{
    start(GUARD_AUTO, 0, 0);
    fail_from(FAIL_PROCESS_MADVISE, 1, INT_MAX, EPERM);
    is_int(take(&ps[0], MANY), MANY, "without process_madvise");
    ok(has_guard(held[0]) && has_guard(held[MANY - 1]), "guards are there all the same");
    ok(fail_count(FAIL_PROCESS_MADVISE) <= 1, "it is asked once");
    fail_never();
    stack_fini();
}

/* Valgrind knows no pidfd_open. */
static bool has_pidfd(void)
{
    int fd = (int)syscall(SYS_pidfd_open, getpid(), 0);

    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

/* A program that is out of descriptors for a while keeps its batches. */
static void batches_come_back(void)
{
    struct rlimit files, none;

    start(GUARD_AUTO, 0, 0);
    take(&ps[0], 1);
    fail_never();
    getrlimit(RLIMIT_NOFILE, &files);
    none = (struct rlimit){ 0, files.rlim_max };
    setrlimit(RLIMIT_NOFILE, &none);
    is_int(take(&ps[0], MANY), MANY, "without a descriptor");
    setrlimit(RLIMIT_NOFILE, &files);
    ok(has_guard(held[0]) && has_guard(held[MANY - 1]), "guards are there all the same");
    if (fail_count(FAIL_MPROTECT) > 0) {
        skip("the kernel has no MADV_GUARD_INSTALL");
    } else if (!has_pidfd()) {
        skip("no pidfd_open here, so no batches");
    } else {
        is_int(fail_count(FAIL_PROCESS_MADVISE), 0, "one by one");
        fail_never();
        take(&ps[0], MANY);
        ok(fail_count(FAIL_PROCESS_MADVISE) > 0, "and with descriptors again, in batches");
    }
    fail_never();
    stack_fini();
}

static void kernels_without_guards_use_mprotect(void)
{
    fail_from(FAIL_GUARD, 1, INT_MAX, EINVAL);
    start(GUARD_AUTO, 0, 0);
    is_int(take(&ps[0], MANY), MANY, "without MADV_GUARD_INSTALL");
    ok(fail_count(FAIL_MPROTECT) >= MANY, "mprotect does it");
    ok(has_guard(held[0]) && has_guard(held[MANY - 1]), "and guards are there");
    stack_fini();
    start(GUARD_MADVISE, 0, 0);
    is_int(take(&ps[0], 1), 1, "where madvise was asked for");
    ok(has_canary(held[0]), "it is canaries");
    stack_fini();
    fail_never();
}

static void guards_fail_half_way(void)
{
    start(GUARD_MPROTECT, 0, 0);
    fail_from(FAIL_MPROTECT, 101, INT_MAX, ENOMEM);
    is_int(take(&ps[0], MANY), MANY, "mappings that run out");
    ok(has_guard(held[0]), "the first stacks have guards");
    ok(has_canary(held[MANY - 1]), "the last ones canaries");
    ok(numbers().bare >= MANY - 100, "and are counted");
    fail_never();
    stack_fini();
    start(GUARD_MADVISE, 0, 0);
    fail_from(FAIL_PROCESS_MADVISE, 1, INT_MAX, EPERM);
    fail_from(FAIL_GUARD, 3, 1, ENOMEM);
    take(&ps[0], MANY);
    ok(numbers().bare < STACK_MAGAZINE, "one refusal costs the guards of one batch at most");
    fail_never();
    stack_fini();
}

static void mprotect_leaves_mappings(void)
{
#ifdef SANITIZE_TSAN
    skip("TSan has no room for thousands of stacks");
#else
    int n;

    start(GUARD_MPROTECT, 0, 0);
    fail_never();
    n = take(&ps[0], (int)array_len(held));
    is_int(n, array_len(held), "more stacks than mappings allow");
    if (numbers().bare == 0)
        skip("vm.max_map_count is far above its default");
    else
        is_int(fail_count(FAIL_MPROTECT) + (int)numbers().bare, numbers().live + numbers().cached,
               "each has pages or a canary, and no call fails");
    stack_fini();
#endif
}

/* ---- limits and memory ---------------------------------------------------------------------- */

static void limit_is_kept(void)
{
    start(GUARD_AUTO, 64 * K, 4 * 64 * K + 1);
    is_int(take(&ps[0], 10), 4, "a limit");
    ok(stack_get(&ps[1], stack_default_class) == NULL, "holds for all P's");
    stack_put(&ps[0], held[3]);
    held[3] = stack_get(&ps[1], stack_default_class);
    ok(held[3] != NULL, "what one gives back, another one has");
    ok(stack_get(&ps[0], 0) == NULL, "it counts other classes too");
    give(&ps[0], 4);
    is_int(take(&ps[1], 10), 4, "and all are free in the end");
    stack_fini();
    start(GUARD_AUTO, 64 * K, 32 * K);
    is_int(take(&ps[0], 1), 0, "a limit below one stack");
    stack_fini();
}

static void memory_runs_out(void)
{
    start(GUARD_CANARY, 0, 0);
    fail_from(FAIL_MMAP, 1, INT_MAX, ENOMEM);
    errno = EDOM;
    ok(stack_get(&ps[0], stack_default_class) == NULL, "no memory, no stack");
    is_int(errno, EDOM, "and errno is left alone");
    fail_from(FAIL_MMAP, 1, 5, ENOMEM);
    is_int(take(&ps[0], MANY), MANY, "smaller pieces are asked for");
    fail_never();
    give(&ps[0], MANY);
    stack_purge(&ps[0]);
    fail_from(FAIL_MMAP, 1, INT_MAX, ENOMEM);
    held[0] = stack_get(&ps[1], stack_default_class);
    if (ok(held[0] != NULL, "without memory at home another node's stack will do"))
        is_int(held[0]->node, 0, "and still belongs there");
    fail_never();
    stack_fini();
}

static void all_is_given_back(void)
{
    unsigned char in;
    char *low;

    start(GUARD_AUTO, 0, 0);
    take(&ps[0], MANY);
    low = held[MANY / 2]->low;
    is_int(mincore(low, 4096, &in), 0, "a stack is mapped");
    stack_fini();
    is_int(mincore(low, 4096, &in), -1, "and then it is not, in use or not");
}

/* ---- questions ------------------------------------------------------------------------------ */

static void touched_is_seen(void)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), at[] = { 1, 5000, 20000, 60000 };

    for (enum guard_choice guard = GUARD_AUTO; guard <= GUARD_CANARY; guard++) {
        struct stack *s;

        start(guard, 0, 0);
        s = stack_get(&ps[0], stack_default_class);
        if (s->guard == GUARD_WORDS)
            stack_check(s);
        for (size_t i = 0; i < array_len(at); i++) {
            s->start[-(long)at[i]] = 1;
            ok(stack_touched(s) >= at[i] && stack_touched(s) < at[i] + page,
               "a mark of %zu bytes: %zu", at[i], stack_touched(s));
        }
        ok(stack_in_guard(s, s->low - 1), "below is the guard");
        ok(!stack_in_guard(s, s->low), "and not yet at the end");
        ok(!stack_in_guard(s, s->low - 5 * page), "nor far below");
        stack_fini();
    }
}

static void touched_without_mincore(void)
{
    struct stack *s;

    start(GUARD_AUTO, 0, 0);
    s = stack_get(&ps[0], stack_default_class);
    fail_from(FAIL_MINCORE, 1, 1, EPERM);
    is_int(stack_touched(s), stack_usable(s),
           "where mincore is forbidden, all may have been touched");
    fail_never();
    stack_fini();
}

int main(void)
{
    classes_hold_what_they_say();
    stacks_do_not_overlap();
    magazines_move();
    stacks_go_home();
    each_level_guards();
    batches_cost_one_call();
    refused_batches_are_guarded_singly();
    batches_come_back();
    kernels_without_guards_use_mprotect();
    guards_fail_half_way();
    mprotect_leaves_mappings();
    limit_is_kept();
    memory_runs_out();
    all_is_given_back();
    touched_is_seen();
    touched_without_mincore();
    return done_testing();
}
