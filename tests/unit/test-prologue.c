/* SPDX-License-Identifier: BSD-3-Clause
 * test-prologue.c - which functions are ours, and what is a return address
 */
#include "prologue.h"

#include "split.h"
#include "tap.h"

#include <stdlib.h>
#include <string.h>

extern const struct split_function split_functions_O0[], split_functions_O1[],
    split_functions_O2[], split_functions_O3[], split_functions_plain[];

/* A check as gcc writes it, which leads to a function that is not ours. */
void foreign_check(void);
__asm__(".text\n"
        ".type foreign_check, @function\n"
        "foreign_check:\n"
        ".cfi_startproc\n"
        "cmpq %fs:0x70, %rsp\n"
        "jae 1f\n"
        "movl $8, %r10d\n"
        "movl $0, %r11d\n"
        "call foreign_check\n"
        "ret\n"
        "1: ret\n"
        ".cfi_endproc\n"
        ".size foreign_check, .-foreign_check\n");

static bool find(void (*at)(void), struct object *o, struct function *f)
{
    return object_find((uintptr_t)at, o) && object_function(o, (uintptr_t)at, f);
}

static void a_build(const char *name, const struct split_function *list)
{
    int starts = 0, checks = 0, ours = 0, n = 0;

    for (; list->name != NULL; list++, n++) {
        struct object o;
        struct function f = { 0, 0 };
        bool found = find(list->at, &o, &f);

        starts += found && f.start == (uintptr_t)list->at;
        checks += found && prologue_checks(&o, &f) == list->checks;
        if (found && prologue_is_ours(&o, &f) == list->ours)
            ours++;
        else
            diag("%s %s should %sbe ours", name, list->name, list->ours ? "" : "not ");
    }
    is_int(starts, n, "%s: each function begins where the tables say", name);
    is_int(checks, n, "%s: each has the check that it was built with", name);
    is_int(ours, n, "%s: ours are those that keep nothing of their thread", name);
}

static void without_the_check(void)
{
    int checked = 0, n = 0;

    for (const struct split_function *s = split_functions_plain; s->name != NULL; s++, n++) {
        struct object o;
        struct function f;

        checked += !find(s->at, &o, &f) || prologue_checks(&o, &f);
    }
    is_int(checked, 0, "none of the %d built without it has it", n);
}

static void others(void)
{
    void (*const of_libc[])(void) = {
        (void (*)(void))qsort, (void (*)(void))malloc, (void (*)(void))free, (void (*)(void))exit,
    };
    struct object o;
    struct function f;
    int found = 0, ours = 0;

    for (size_t i = 0; i < sizeof of_libc / sizeof of_libc[0]; i++) {
        if (!find(of_libc[i], &o, &f))
            continue;
        found++;
        ours += prologue_is_ours(&o, &f);
    }
    ok(found > 0 && ours == 0, "nothing of libc's is");
    ok(find(foreign_check, &o, &f) && !prologue_checks(&o, &f),
       "a check that leads to another __morestack is none");
    ok(!object_find((uintptr_t)&o, &o), "a stack has no code");
    ok(!object_find(0, &o) && !object_find(UINTPTR_MAX, &o), "nor have the ends of memory");
}

/* Where code of ours returns to from here. */
static uintptr_t returned_to;

static __attribute__((noinline)) void callee(void)
{
    returned_to = (uintptr_t)__builtin_extract_return_addr(__builtin_return_address(0));
}

static void (*volatile by_pointer)(void) = callee;

static void return_addresses(void)
{
    struct object o;
    int wrong = 0;

    callee();
    wrong += !object_find(returned_to, &o) || !prologue_returns_to(&o, returned_to);
    by_pointer();
    wrong += !object_find(returned_to, &o) || !prologue_returns_to(&o, returned_to);
    is_int(wrong, 0, "what stands behind a call is a return address");
    ok(!prologue_returns_to(&o, (uintptr_t)foreign_check + 9), "behind a comparison there is none");
}

int main(void)
{
    struct object o;

    if (!object_find((uintptr_t)main, &o))
        skip_all("this libc has no _dl_find_object");
    a_build("-O0", split_functions_O0);
    a_build("-O1", split_functions_O1);
    a_build("-O2", split_functions_O2);
    a_build("-O3", split_functions_O3);
    without_the_check();
    others();
    return_addresses();
    return done_testing();
}
