/* SPDX-License-Identifier: BSD-3-Clause
 * simple-park.h - park and ready without stacks: each thread of a model is a goroutine on an M
 *
 * What happens around a park is kept: the stack belongs to the goroutine until it has left
 * it, and to whoever readies it afterwards; a lock that lets it be readied too early is a
 * race. To be included before anything of sched/ but gmp.h.
 */
#ifndef QUOIT_TESTS_SIMPLE_PARK_H
#define QUOIT_TESTS_SIMPLE_PARK_H
#define QUOIT_SCHED_SWITCH_H

#include "cpu.h"
#include "simple-lock.h"

#include "context.h"
#include "tls.h"

#define tls_get() ((void *)(self < 0 ? NULL : &simple_ms[self]))
#define context_tail(fn, arg) (fn)(arg)

#include "gmp.h"

static struct quoit_g simple_gs[EXPLORE_THREADS];
static struct m simple_ms[EXPLORE_THREADS];
static struct p simple_ps[EXPLORE_THREADS];
static struct note simple_notes[EXPLORE_THREADS];
static uint64_t simple_stacks[EXPLORE_THREADS];

#include "proc.h"

#include "gstatus.h"
#include "p.h"
#include "stack.h"

#include <string.h>

/* For the rest of a file under test; never called. */
bool switch_into(struct m **mpp, struct context *from, struct sanitize_stack *old,
                 struct quoit_g *next, bool dying);
struct m *switch_away(struct m *mp, struct quoit_g *next, enum after after);
struct m *switch_to_g0(struct m *mp, enum after after);
bool set_running(struct m *mp, struct quoit_g *next);
void set_nobody(struct m *mp);
void set_started(struct m *mp, struct quoit_g *next, struct stack *stk);
void not_here(struct m *mp, struct quoit_g *next);
struct quoit_g *pick(struct m *mp, bool parked);
void finish_switch(struct m *mp);

static unused_arg void simple_setup(void)
{
    static const char *const names[] = {"stack 1", "stack 2", "stack 3", "stack 4"};

    memset(simple_gs, 0, sizeof(simple_gs));
    memset(simple_ms, 0, sizeof(simple_ms));
    memset(simple_notes, 0, sizeof(simple_notes));
    memset(simple_stacks, 0, sizeof(simple_stacks));
    for (int i = 0; i < EXPLORE_THREADS; i++) {
        memset(&simple_ps[i], 0, offsetof(struct p, runq_slots));
        simple_ps[i].forkq.slot = simple_ps[i].forkq_slots;
        simple_ms[i].p = &simple_ps[i];
        simple_ms[i].curg = &simple_gs[i];
        simple_gs[i].status = Grunning;
        explore_name(&simple_stacks[i], names[i]);
    }
    explore_memory(simple_gs, sizeof(simple_gs));
    explore_memory(simple_ms, sizeof(simple_ms));
}

static inline void simple_sleep(struct quoit_g *gp)
{
    note_sleep(&simple_notes[gp - simple_gs], INT64_MAX);
    note_clear(&simple_notes[gp - simple_gs]);
}

static unused_arg struct m *park(struct m *mp, int (*unlock)(void *), void *arg,
                                 const char *reason unused_arg)
{
    data_write(&simple_stacks[mp->curg - simple_gs], 1);
    if (unlock == NULL || unlock(arg) != 0)
        simple_sleep(mp->curg);
    return mp;
}

static unused_arg struct m *park_store(struct m *mp, uint64_t *word, uint64_t value,
                                       const char *reason unused_arg)
{
    data_write(&simple_stacks[mp->curg - simple_gs], 1);
    /* order PARK out: as in switch.h; in: sema.c: lock_queue */
    store_release(word, value);
    simple_sleep(mp->curg);
    return mp;
}

void ready(struct m *mp unused_arg, struct quoit_g *gp)
{
    data_write(&simple_stacks[gp - simple_gs], 2);
    note_wake(&simple_notes[gp - simple_gs]);
}

#endif
