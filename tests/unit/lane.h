/* SPDX-License-Identifier: BSD-3-Clause
 * lane.h - a context with a stack of its own, for the tests of arch/
 *
 * A lane without a stack is a thread's own. Every switch goes through lane_begin or lane_switch, so
 * the tests run under all sanitizers.
 */
#ifndef QUOIT_TESTS_LANE_H
#define QUOIT_TESTS_LANE_H

#include <stdlib.h>
#include <sys/mman.h>

#include "context.h"
#include "sanitize.h"

/* Enough for an unwinder or a sanitizer's report on top of a few frames. */
#define LANE_SIZE (256u << 10)

struct lane {
    struct context ctx;
    struct sanitize_stack rec;
    char *low;
};

static unused_arg void lane_make(struct lane *l)
{
    l->low = mmap(NULL, LANE_SIZE, PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (l->low == MAP_FAILED)
        abort();
    sanitize_stack_make(&l->rec, l->low, LANE_SIZE);
}

static unused_arg void lane_free(struct lane *l)
{
    sanitize_stack_free(&l->rec);
    munmap(l->low, LANE_SIZE);
}

static unused_arg void lane_self(struct lane *l)
{
    l->low = NULL;
    sanitize_stack_self(&l->rec);
}

static always_inline void *lane_begin(struct lane *from, struct lane *to, void (*entry)(void *),
                                      void *arg)
{
    void *got;

    sanitize_leave(&from->rec, &to->rec, false);
    got = context_begin(&from->ctx, to->low + LANE_SIZE, entry, arg);
    sanitize_arrive(&from->rec);
    return got;
}

static always_inline void *lane_switch(struct lane *from, struct lane *to, void *arg)
{
    void *got;

    sanitize_leave(&from->rec, &to->rec, false);
    got = context_switch(&from->ctx, &to->ctx, arg);
    sanitize_arrive(&from->rec);
    return got;
}

/* The last switch of a lane: nobody comes back to it. Not noreturn: before calls of such functions
 * compilers make ASan forget the frames that some tests mean to leave behind. */
static always_inline void lane_end(struct lane *from, struct lane *to)
{
    sanitize_leave(&from->rec, &to->rec, true);
    context_switch(&from->ctx, &to->ctx, NULL);
    __builtin_trap();
}

#endif
