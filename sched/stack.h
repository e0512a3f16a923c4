/* SPDX-License-Identifier: BSD-3-Clause
 * stack.h - stacks: made in slabs on a node, kept for reuse, guarded
 *
 * A stack is a slot of its class: guard at the low end, then what may be used
 * (never less than the class says), and in the top page its own record, right
 * above where goroutines start, so that both are in the page that every
 * goroutine touches. Where in that page is different from stack to stack: hot
 * lines at the same place in every page would share the few lines of one cache
 * set.
 *
 * Free stacks of the default class wait in the P's two magazines, then in full
 * magazines at the node, which are exchanged in one step; those of other
 * classes on a list at the node. They are linked through their records, and the
 * last one freed is the first one used again. A free stack keeps its memory
 * until stack_trim finds that nobody has used it for a while.
 */
#ifndef QUOIT_SCHED_STACK_H
#define QUOIT_SCHED_STACK_H

#include "atomic.h"
#include "compiler.h"
#include "sanitize.h"

#include "gmp.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Classes: 16 KiB << class. */
enum { STACK_CLASS_MIN_SHIFT = 14, STACK_CLASSES = 17, STACK_CLASS_64K = 2 };
/* Stacks in a magazine, and free ones of other nodes that a P gathers before it
 * sends them home. */
enum { STACK_MAGAZINE = 64, STACK_AWAY_MAX = 32 };

/* How a stack's end is kept; GUARD_OTHERS: it is not ours. */
enum guard { GUARD_PAGES, GUARD_WORDS, GUARD_OTHERS };

struct stack {
    struct stack *link;   /* next free one of the magazine */
    struct stack *batch;  /* next magazine */
    char *low;            /* lowest byte that may be used */
    char *start;          /* where a goroutine starts: 16-byte aligned, coloured */
    struct sanitize_stack san;
    uint16_t node;
    uint8_t class;
    uint8_t guard;        /* enum guard */
    uint32_t nopreempt;   /* quoit_preempt_disable, counted, of the goroutine that runs here */
};

/* Once a start and a shutdown, without others. stack_init reads env (default
 * size, limit, guard level) and needs the nodes; 0 or -ENOMEM. stack_fini gives
 * back every stack, also those that are still in use. */
int stack_init(void);
void stack_fini(void);

/* The class that holds `bytes` of use, or -EINVAL when there is none; 0 bytes:
 * the default class. */
int stack_class(size_t bytes);
extern uint8_t stack_default_class;

static inline size_t stack_class_bytes(int class)
{
    return (size_t)1 << (STACK_CLASS_MIN_SHIFT + class);
}

/* STACK_MAGAZINE, or 0 when no P may keep stacks from the others: then all go
 * through the node. */
extern uint32_t stack_magazine;

struct stack *stack_get_slow(struct p *pp, int class);
void stack_put_slow(struct p *pp, struct stack *s);

/* The calling M holds pp. NULL: no memory, or the limit is reached. */
static always_inline struct stack *stack_get(struct p *pp, int class)
{
    struct stack *s = pp->stacks.top;

    if (unlikely(s == NULL || class != stack_default_class))
        return stack_get_slow(pp, class);
    pp->stacks.top = s->link;
    /* hint: stack_numbers of others looks at it, so here and below it is stored relaxed */
    store_relaxed(&pp->stacks.n, pp->stacks.n - 1);
    return s;
}

/* The same; nobody runs on s any more. */
static always_inline void stack_put(struct p *pp, struct stack *s)
{
    uint32_t n = pp->stacks.n;

    if (unlikely(n >= stack_magazine || s->class != stack_default_class ||
                 s->node != (uint16_t)pp->place.node)) {
        stack_put_slow(pp, s);
        return;
    }
    s->link = pp->stacks.top;
    pp->stacks.top = s;
    store_relaxed(&pp->stacks.n, n + 1);
}

/* The same for who holds no P, through the node. */
struct stack *stack_get_shared(struct node *np, int class);
void stack_put_shared(struct stack *s);

/* What the P keeps goes to the nodes, where others find it; how many stacks. By
 * who holds the P, or has taken it off the idle list. */
uint32_t stack_purge(struct p *pp);

/* The same for every P that nobody holds. stack_get does it when it finds no
 * memory. Takes sched.lock and memlocks; any thread. */
uint32_t stack_reclaim(void);

/* Gives the memory of stacks back to the kernel that lay unused on the node
 * since the call before, and those of P's of the node that were idle all that
 * time; the ones used last are kept. How many bytes. At most some hundred
 * microseconds, the rest next time. One caller at a time, any thread, while
 * others go on; takes sched.lock and memlocks. */
size_t stack_trim(struct node *np);
/* What is left of that, again at most some hundred microseconds; 0: nothing. */
size_t stack_trim_more(struct node *np);

/* Canary check where the guard is GUARD_WORDS; throws, naming the running
 * goroutine. Called for a stack whose goroutine has ended. */
void stack_check(const struct stack *s);

static inline size_t stack_usable(const struct stack *s)
{
    return (size_t)(s->start - s->low);
}

/* The running goroutine neither is pinned nor has forbidden that it is made to give way. */
static always_inline bool may_end(const struct m *mp)
{
    return ((uint32_t)mp->locks | mp->curg->stk->nopreempt) == 0;
}

/* High-water mark in bytes from start, page granular, of all goroutines that
 * used the stack. */
size_t stack_touched(const struct stack *s);

/* Does this address lie where an overrun of the stack ends up first? */
bool stack_in_guard(const struct stack *s, const void *addr);

/* Handlers for SIGSEGV and SIGBUS, and a signal stack of each M (overflow.c):
 * an address in the guard of the running goroutine's stack is named as a stack
 * overflow; everything else goes to the handler found before, or to the default
 * action. With QUOIT_NO_SIGNALS none of it is there. 0 or -errno. The ends put
 * back what was found, unless somebody installed a handler since. */
int overflow_init(void);
void overflow_fini(void);
/* In the M's own thread. */
int overflow_thread_init(struct m *mp);
void overflow_thread_fini(struct m *mp);

/* Read while others go on: off by what they do meanwhile. */
struct stack_numbers {
    uint64_t live, cached, bare;
};
void stack_numbers(struct stack_numbers *n);

#endif
