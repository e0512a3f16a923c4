/* SPDX-License-Identifier: BSD-3-Clause
 * fixed.h - memory that the program has registered, and what of it one ring knows
 *
 * There is one table for the process. A ring has a copy, which its owner brings up to date when
 * it sees that the table has another version: so no lock is taken for an operation, and a ring
 * whose owner does no I/O keeps what it has.
 */
#ifndef QUOIT_URING_FIXED_H
#define QUOIT_URING_FIXED_H

#include "atomic.h"

#include <stdbool.h>
#include <stdint.h>

struct poller;

enum { FIXED_MOST = 64 };

/* A place of the table. */
struct fixed_range {
    uint64_t at, bytes; /* 0 bytes: empty */
    uint32_t version;   /* of the table, when this was put in or taken out */
    bool refused;       /* the ring did not take it */
};

/* What one ring knows; the owner's. */
struct fixed {
    uint32_t version; /* 0: nothing yet */
    int n;            /* places that may be in use */
    bool there;       /* the ring has places for such memory */
    bool refused;     /* it cannot have any */
    uint64_t ops;     /*    read by others as a hint: operations that used some */
    struct fixed_range ranges[FIXED_MOST];
};

extern uint32_t fixed_version; /* a  grows with each change of the table; 0: there was none */

cold void fixed_update(struct poller *pl);
/* Where [at, at + bytes) lies, or -1. */
int fixed_find(struct fixed *f, uint64_t at, uint64_t bytes);

/* The same for the owner of a ring, with what is registered now. What was registered or taken out
 * before this by somebody whom the owner has heard from is known here. */
static inline bool fixed_any(const struct fixed *f)
{
    /* hint: a stale one is the past of whoever did not wait for the change */
    return f->version != load_relaxed(&fixed_version) || f->n > 0;
}

/* How many times a ring refused. A hint. */
uint64_t fixed_refusals(void);
/* A child of fork: its one thread holds no lock. */
void fixed_after_fork_child(void);

#endif
