/* SPDX-License-Identifier: BSD-3-Clause
 * stackpool.h - the stacks of a node, behind stack.h
 *
 * Any thread; each takes the node's memlock. Lists are linked by `link`, *n
 * says how many.
 */
#ifndef QUOIT_SCHED_STACKPOOL_H
#define QUOIT_SCHED_STACKPOOL_H

#include "stack.h"

int stackpool_init(struct node *np);
/* Every stack of the node is gone after this. */
void stackpool_fini(struct node *np);

/* Up to `most` free ones; NULL: none. A full magazine in one step where `most`
 * is STACK_MAGAZINE. */
struct stack *stackpool_get_free(struct node *np, int class, uint32_t most, uint32_t *n);
/* One of another node, for who finds no memory at home. */
struct stack *stackpool_get_elsewhere(const struct node *home, int class);
/* New ones; NULL: no memory. */
struct stack *stackpool_carve(struct node *np, int class, uint32_t *n);

/* STACK_MAGAZINE of the default class, all from np: they are hot. */
void stackpool_put_magazine(struct node *np, struct stack *top);
/* Any list, each to its own node. */
void stackpool_put(struct stack *list);

/* See stack_trim; without `begin` stack_trim_more. */
size_t stackpool_trim(struct node *np, bool begin);

/* Adds to *n; what was ever made is added to live. */
void stackpool_count(struct node *np, struct stack_numbers *n);

#endif
