/* SPDX-License-Identifier: BSD-3-Clause
 * simple-lock.h - lock.h and note.h with one step for each operation
 *
 * Their own protocols are explored by model-lock and model-note; a model of something
 * above them would only repeat it many times over. To be included before anything of
 * sched/.
 */
#ifndef QUOIT_TESTS_SIMPLE_LOCK_H
#define QUOIT_TESTS_SIMPLE_LOCK_H
#define QUOIT_SCHED_LOCK_H
#define QUOIT_SCHED_NOTE_H

#include "atomic.h"

#include <stdbool.h>

struct lock {
    uint32_t word;
};

struct note {
    uint32_t word;
};

static inline void lock(struct lock *l)
{
    model_await(SITE("lock", "", IN), &l->word, false);
}

static inline void unlock(struct lock *l)
{
    model_store(SITE("unlock", "", OUT), &l->word, sizeof(l->word), 0);
}

static inline void note_clear(struct note *n)
{
    model_store(SITE("note_clear", "", RELAXED), &n->word, sizeof(n->word), 0);
}

static inline bool note_sleep(struct note *n, int64_t deadline unused_arg)
{
    model_await(SITE("note_sleep", "", IN), &n->word, true);
    return true;
}

static inline void note_wake(struct note *n)
{
    model_store(SITE("note_wake", "", OUT), &n->word, sizeof(n->word), 1);
}

#endif
