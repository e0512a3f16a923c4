/* SPDX-License-Identifier: BSD-3-Clause
 * stacks.h - two nodes with stacks and a P on each, without a scheduler
 */
#ifndef QUOIT_TESTS_UNIT_STACKS_H
#define QUOIT_TESTS_UNIT_STACKS_H

#include "stack.h"

#include "child.h"
#include "env.h"
#include "fail.h"
#include "guard.h"
#include "tap.h"

#include <signal.h>
#include <string.h>

/* Instead of the scheduler's: two nodes, a P on each. */
struct sched sched;

enum { K = 1024, MANY = 200 };
static struct node nodes[2];
static struct p ps[2], *allp[2] = { &ps[0], &ps[1] };
static struct stack *held[10000];

static unused_arg void start(enum guard_choice guard, size_t size, size_t limit)
{
    env_load(NULL);
    env.guard = guard;
    env.stack_size = size;
    env.stack_limit = limit;
    memset(ps, 0, sizeof ps);
    memset(nodes, 0, sizeof nodes);
    for (int i = 0; i < 2; i++) {
        nodes[i].id = i;
        ps[i].node = &nodes[i];
        ps[i].place.node = i;
    }
    sched.nodes = nodes;
    sched.nnodes = 2;
    sched.allp = allp;
    sched.nprocs = sched.nallp = 2;
    if (stack_init() != 0)
        bail("no memory for the pools");
}

/* The most that can be had, up to n. */
static unused_arg int take(struct p *pp, int n)
{
    int i = 0;

    while (i < n && (held[i] = stack_get(pp, stack_default_class)) != NULL)
        i++;
    return i;
}

static unused_arg void give(struct p *pp, int n)
{
    while (n-- > 0)
        stack_put(pp, held[n]);
}

static unused_arg struct stack_numbers numbers(void)
{
    struct stack_numbers n;

    stack_numbers(&n);
    return n;
}

static int write_below(void *arg)
{
    struct stack *s = arg;

    s->low[-1] = 1;
    stack_check(s);
    return 0;
}

static unused_arg bool has_guard(struct stack *s)
{
    static struct child c;

    child_run(&c, write_below, s);
    return child_end(&c) == -SIGSEGV;
}

static unused_arg bool has_canary(struct stack *s)
{
    static struct child c;

    child_run(&c, write_below, s);
    return child_end(&c) == 2 && child_said(&c, "fatal error: stack overflow") &&
           child_said(&c, "64 KiB") && child_said(&c, "QUOIT_STACK");
}

#endif
