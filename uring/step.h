/* SPDX-License-Identifier: BSD-3-Clause
 * step.h - one operation of a batch, and the chain that it may be a part of
 */
#ifndef QUOIT_URING_STEP_H
#define QUOIT_URING_STEP_H

#include "quoit_io.h"

#include "gather.h"
#include "op.h"
#include "posix.h"

/* What a step has to do with the file that its chain has for itself. */
enum own { OWN_NOT, OWN_OPENS, OWN_USES, OWN_CLOSES };

struct step {
    struct op op;          /* aligned: its address is a tag */
    struct gathered ended; /* in its batch */
    struct quoit_io *io;
    struct step *then;     /* the next of its chain, or NULL */
    struct step *next;     /* free, or ended and not fetched */
    struct poller *ring;   /* OWN_CLOSES: in whose ring the file has its place, or NULL */
    uint8_t own;           /* enum own */
    bool polled;           /* op waits for readiness, before it is what *io says */
    bool nowait;           /* asked not to wait: -EAGAIN is a result */
    bool chained;          /* begun once: -EAGAIN and -EINTR are results */
    bool workerless;       /* the kernel had no worker for it: not by ring */
    int opened;            /* a chain without a ring: its file's descriptor, or -1 */
    struct step *at;       /* and where it stands */
    struct helped helped;  /* a chain has that of its last step, which is over last */
};

/* How many operations the chain at ios has, of n at most; -EINVAL: it is not as it should be. */
int chain_check(const struct quoit_io *ios, int n);

/* Makes an operation of *io, which was checked, for `batch`. `own`: its chain has a file for
 * itself. */
void step_prepare(struct step *s, struct quoit_io *io, struct quoit_io_batch *batch, bool own);

/* It has ended, where nobody waits for it. */
static inline void step_end(struct step *s, long res)
{
    (void)op_finish(&s->op, (int32_t)res);
}

/* Begins a chain of n steps. */
struct m *chain_begin(struct m *mp, struct step *first, int n);
/* Makes all its calls here, which may block. Any thread. */
void chain_make(struct step *first);

/* The result goes to the program. */
void step_settle(const struct step *s);

/* One step of a chain without a ring, made by `call`: its result, also when it is that it would
 * block. */
long chain_step(struct step *s, int *opened, long (*call)(struct op *op));

/* Is there a step, from s on, that may wait for somebody else? */
bool chain_lasts(const struct step *s);

#endif
