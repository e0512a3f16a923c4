/* SPDX-License-Identifier: BSD-3-Clause
 * storm.h - what the parts of the storm share: its kinds of event, and its places to meet
 */
#ifndef QUOIT_TESTS_STORM_H
#define QUOIT_TESTS_STORM_H

#include "quoit.h"

#include <stdbool.h>
#include <stdint.h>

enum { PROCS_MOST = 8, PLACES = 16, PIPES = 3, FILE_PART = 512 };

/* Each goes up by one at each event. */
enum event {
    SPAWN,
    SPAWN_COPY,
    SPAWN_ATTR,
    JOIN,
    JOIN_MANY,
    JOIN_UNTIL,
    JOIN_LATE,
    PARK,
    PARK_UNTIL,
    PARK_LATE,
    READY,
    SEND,
    RECEIVE,
    RECEIVE_LATE,
    MUTEX,
    WAIT_GROUP,
    SLEEP,
    YIELD,
    COMPUTE,
    PIPE_WRITE,
    PIPE_READ,
    FILE_IO,
    LOCKED,
    LOCKED_END,
    MARKED,
    UNMARKED,
    BLOCK,
    PIN,
    RESIZE,
    STOP,
    STOP_LATE,
    STOP_OUTSIDE,
    PARALLEL,
    FORK,
    PROCESS,
    DUMP,
    QUIESCE,
    SYNCHRONIZE,
    DEFER,
    LOOK,
    VISIT,
    VISITOR,
    EVENTS
};

/* One who does things: a goroutine, or a plain thread. */
struct actor {
    uint64_t dice;
    int i;
};

struct storm {
    uint64_t count[EVENTS];
    uint64_t spawned, ended;    /* children */
    uint64_t sent, received;    /* sums of messages */
    uint64_t written, read;     /* sums of what went through pipes */
    uint64_t pins, under_mutex, mutex_plain;
    uint64_t per_p[PROCS_MOST]; /* plain: whoever is pinned there */
    uint64_t steps;             /* of goroutines that may not run while the world is stopped */
    uint32_t over;
    int home;                   /* P's, but for moments */
    int pipe[PIPES][2], file, null;
    quoit_wg children;
    quoit_mutex mutex;
    quoit_sema letters;
    struct quoit_g *place[PLACES];
    struct thing *thing;        /* read without a lock */
    uint64_t made, freed;       /* things */
};

extern struct storm storm;

void add(uint64_t *n, uint64_t more);
uint32_t roll(struct actor *a, uint32_t n);
/* Some time from now. */
int64_t in_ns(struct actor *a, uint32_t most);
void happened(enum event e);
bool is_over(void);

/* One thing, chosen by dice, or the k-th. */
void storm_act(struct actor *a);
void storm_act_nth(struct actor *a, int k);
int storm_acts(void);

/* What plain threads can do too. */
void storm_visit(struct actor *a);

/* Makes ready whoever is parked in a place. */
void wake_all(void);
bool receive(int64_t patience);

/* In storm-world.c. */
void storm_marked(struct actor *a);
void storm_unmarked(struct actor *a);
void storm_block(struct actor *a);
void storm_pin(struct actor *a);
void storm_resize(struct actor *a);
/* The world stops, is looked at, and starts. */
void storm_stop(struct actor *a);
void storm_forks(struct actor *a);
void storm_process(struct actor *a);
void storm_dump(struct actor *a);
void storm_quiesce(struct actor *a);
/* The thing is replaced, and the old one freed when nobody looks at it any more. */
void storm_synchronize(struct actor *a);
void storm_defer(struct actor *a);
void storm_look(struct actor *a);

#endif
