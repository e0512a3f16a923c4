/* SPDX-License-Identifier: BSD-3-Clause
 * test-stackpool.c - stacks that nobody uses: they go to who wants them, their memory to the kernel
 */
#include "stacks.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* Two P's of one node; the first has all stacks that there is memory for, and goes idle. */
static void idle_ones_give(void)
{
    int n;

    start(GUARD_AUTO, 0, 0);
    ps[1].node = &nodes[0];
    ps[1].place.node = 0;
    take(&ps[0], MANY);
    fail_from(FAIL_MMAP, 1, INT_MAX, ENOMEM);
    n = MANY + take(&ps[0], (int)array_len(held));
    for (int i = 0; i < STACK_MAGAZINE; i++)
        stack_put(&ps[0], held[i]);
    ok(n < (int)array_len(held), "there is an end of memory (%d stacks)", n);
    ok(stack_get(&ps[1], stack_default_class) == NULL, "a P that runs keeps what it has");
    ps[0].idle = true;
    is_int(take(&ps[1], MANY), STACK_MAGAZINE, "one that is idle gives it");
    is_int(ps[0].stacks.n, 0, "all of it");
    is_int(stack_reclaim(), 0, "and then has nothing more to give");
    fail_never();
    stack_fini();
}

static size_t resident(struct stack *const *s, int n)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), bytes = 0;

    for (int i = 0; i < n; i++) {
        unsigned char in[64];

        mincore(s[i]->low, 17 * page, in);
        for (int k = 0; k < 17; k++)
            bytes += (in[k] & 1) * page;
    }
    return bytes;
}

static size_t trim_all(void)
{
    size_t bytes = 0, some;

    while ((some = stack_trim(&nodes[0])) > 0)
        bytes += some;
    return bytes;
}

static void idle_memory_goes_back(enum guard_choice guard)
{
    static struct stack *them[10 * STACK_MAGAZINE];
    struct stack_numbers before;
    int n = array_len(them), page = (int)sysconf(_SC_PAGESIZE);
    size_t had, left, given;
    bool whole = true;

    start(guard, 0, 0);
    is_int(take(&ps[0], n), n, "many stacks");
    memcpy(them, held, sizeof them);
    for (int i = 0; i < n; i++)
        memset(them[i]->start - 3 * page, 7, (size_t)(3 * page));
    had = resident(them, n);
    give(&ps[0], n);
    before = numbers();
    is_int(stack_trim(&nodes[0]), 0, "what was freed a moment ago is kept");
    given = trim_all();
    ok(given > had / 2, "what nobody wants after that goes back: %zu of %zu KiB", given >> 10,
       had >> 10);
    left = 0;
    for (int i = 0; i < n; i++) {
        unsigned char in;

        mincore((char *)((uintptr_t)them[i] & -(uintptr_t)page), (size_t)page, &in);
        left += (in & 1) != 0;
    }
    ok(left < 4 * STACK_MAGAZINE, "not even records remain (%zu of %d)", left, n);
    is_int(numbers().cached, before.cached, "all are there still");
    is_int(stack_trim(&nodes[0]), 0, "and have nothing more to give");
    fail_never();
    is_int(take(&ps[0], n), n, "they come again");
    is_int(fail_count(FAIL_MMAP) + fail_count(FAIL_GUARD) + fail_count(FAIL_PROCESS_MADVISE), 0,
           "and are not made anew");
    is_int(numbers().live, n, "each once");
    for (int i = 0; i < n; i++) {
        whole &= held[i]->node == 0 && held[i]->class == stack_default_class;
        memset(held[i]->low, i, 64);
        memset(held[i]->start - 64, i, 64);
    }
    for (int i = 0; i < n; i++)
        whole &= held[i]->low[63] == (char)i && held[i]->start[-1] == (char)i;
    ok(whole, "and whole");
    if (guard == GUARD_CANARY)
        ok(has_canary(held[0]) && has_canary(held[n - 1]), "with their canaries");
    else
        ok(has_guard(held[0]) && has_guard(held[n - 1]), "with their guards");
    stack_fini();
}

static void idle_ones_are_trimmed(void)
{
    start(GUARD_AUTO, 0, 0);
    take(&ps[0], 2 * STACK_MAGAZINE);
    give(&ps[0], 2 * STACK_MAGAZINE);
    trim_all();
    ok(ps[0].stacks.n > 0, "a P that runs keeps its stacks");
    ps[0].idle = true;
    ps[0].schedtick = 5;
    stack_trim(&nodes[0]);
    ok(ps[0].stacks.n > 0, "one that ran a moment ago does");
    stack_trim(&nodes[0]);
    is_int(ps[0].stacks.n, 0, "one that is idle gives them to its node");
    ok(trim_all() > 0, "and then their memory goes back");
    is_int(numbers().live, 0, "none is lost");
    stack_fini();
}

/* With a limit all stacks go one by one through the node. */
static void trimmed_under_a_limit(void)
{
    enum { N = 4 * STACK_MAGAZINE };

    start(GUARD_AUTO, 64 * K, N * 64 * K);
    is_int(take(&ps[0], MANY + N), N, "as many as the limit lets");
    give(&ps[0], N);
    stack_trim(&nodes[0]);
    ok(trim_all() > 0, "their memory goes back");
    is_int(take(&ps[1], 1), 1, "another node's P may have one");
    stack_put(&ps[1], held[0]);
    is_int(take(&ps[0], MANY + N), N, "and all come again");
    stack_fini();
}

int main(void)
{
    idle_ones_give();
    idle_memory_goes_back(GUARD_AUTO);
    idle_memory_goes_back(GUARD_MPROTECT);
    idle_memory_goes_back(GUARD_CANARY);
    idle_ones_are_trimmed();
    trimmed_under_a_limit();
    return done_testing();
}
