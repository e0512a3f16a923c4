/* SPDX-License-Identifier: BSD-3-Clause
 * stack.h - stacks: made in slabs on a node, kept for reuse, guarded
 *
 * A stack is a slot of its class's size: guard at the low end, then what may be used, and on top its own
 * record, which shares the hottest page. Free stacks wait in the P's two magazines (default class only), then in the
 * node's pool; they are linked through their records, and the last one freed is the first one used again.
 */
#ifndef QUOIT_SCHED_STACK_H
#define QUOIT_SCHED_STACK_H

#include "sanitize.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct p;
struct node;

/* Classes: 16 KiB << class. */
enum { STACK_CLASS_MIN_SHIFT = 14, STACK_CLASSES = 17 };

/* How a stack's end is kept. */
enum guard { GUARD_PAGES, GUARD_WORDS };

struct stack {
    struct stack *link;   /* next free one of the magazine */
    struct stack *batch;  /* next magazine */
    char *low;            /* lowest byte that may be used */
    char *start;          /* where a goroutine starts: 16-byte aligned, coloured */
    struct sanitize_stack san;
    uint16_t node;
    uint8_t class;
    uint8_t guard;        /* enum guard */
};

/* Once a start and a shutdown. stack_init reads env (default size, limit, guard level). */
int stack_init(void);
void stack_fini(void);

/* The class that holds `bytes` of use, or -EINVAL when there is none; 0 bytes: the default class. */
int stack_class(size_t bytes);
extern uint8_t stack_default_class;

/* The calling M holds pp. NULL: no memory, or the limit is reached. */
struct stack *stack_get(struct p *pp, int class);
void stack_put(struct p *pp, struct stack *s);
/* The P's magazines go to the nodes (shutdown). */
void stack_purge(struct p *pp);

/* Canary check where the guard is GUARD_WORDS; throws, naming the running goroutine. Called for a stack whose goroutine
 * has ended. */
void stack_check(struct stack *s);

static inline size_t stack_usable(const struct stack *s)
{
    return (size_t)(s->start - s->low);
}
/* High-water mark in bytes from start, by mincore: page granular. */
size_t stack_touched(const struct stack *s);

/* Signal stack and SIGSEGV/SIGBUS handlers: an address in the guard of the running goroutine's stack is named as a
 * stack overflow (goroutine id and name, function, size); everything else goes to the handler found before, or to
 * the default action. Not installed over a handler that is there, unless it can be chained. Both undone at the end. */
int overflow_init(void);
void overflow_fini(void);
struct m;
int overflow_thread_init(struct m *mp);
void overflow_thread_fini(struct m *mp);

struct stack_numbers {
    uint64_t live, cached, bare;
};
void stack_numbers(struct stack_numbers *n);

#endif
