/* SPDX-License-Identifier: BSD-3-Clause
 * gmp.h - the nouns: G, M, P, node, sched
 *
 * Owners, a letter at the margin:
 *     c  constant after birth          g  only the goroutine itself, or who may run it next
 *     m  only the M's own thread       p  only the M that holds the P
 *     L  under sched.lock              N  under the node's lock
 *     a  atomic; the edge is named where it is touched
 */
#ifndef QUOIT_SCHED_GMP_H
#define QUOIT_SCHED_GMP_H

#include "compiler.h"
#include "context.h"
#include "sanitize.h"

#include "order.h"
#include "place.h"

#include "lock.h"
#include "note.h"
#include "quoit.h"
#include "sampleq.h"

#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/* ---- G: a goroutine ------------------------------------------------------------------------- */

enum gstate {
    Gidle,     /* a record in no use yet */
    Grunnable, /* in a queue, or in the hands of who puts it there or takes it out */
    Grunning,  /* has an M and a P */
    Gsyscall,  /* in a marked foreign call */
    Gwaiting,  /* parked; who is to ready it has it */
    Gdead,     /* ended; the record waits for its joiner or its next use */
    Gscan = 8  /* added to one of the above: held in that state by a scanner */
};

/* What makes a change of state take the slow path (gstatus.h). */
enum gscan {
    SCAN_HELD = 1,   /* a scanner holds it in the state that it is in */
    SCAN_LOCKED = 2  /* not every M may run it: see lockedm */
};

enum gflags {
    G_JOINABLE = 1, /* somebody has a handle */
    G_COPY = 2,     /* the argument sits in the record until the first run */
    G_TIMED = 2,    /* afterwards: in quoit_park_until, g->waits says where */
    G_INPLACE = 4,  /* runs on the stack of the goroutine that joins it */
    G_MAIN = 8,     /* its end is the end of quoit_main */
    G_BIG = 16,     /* asked for a stack size or a node: never in place */
    G_NAMED = 32,   /* name is set */
    G_SYSTEM = 64,  /* the library's own: not counted, and its waiting is no deadlock */
    G_LOCKED = 128  /* runs on lockedm only: neither it nor its child goes in place */
};

enum { GNAME_MAX = 32 };

/* What g->join holds beside a joiner, which is the struct timed that it waits in (timer.h). */
#define JOIN_NONE ((struct quoit_g *)0)
#define JOIN_DONE ((struct quoit_g *)1)
#define JOIN_RELEASED ((struct quoit_g *)2)

/* A goroutine that waits in a queue, or a thread that is not ours (sema.h). */
struct waiter {
    struct waiter *next;
    struct waiter *last; /* the one before it; of the first: the last one */
    struct quoit_g *g;   /* NULL: a thread, which sleeps on note */
    struct note note;
    bool handed;         /* what it waits for is its own now */
    bool timed;          /* g is NULL, and this is a struct timed_waiter (timer.h) */
};

/* 192 bytes: a queued goroutine is nothing but this. The first line is all that a switch touches.
 * The other two hold the argument of quoit_go_copy before the first run, the rest afterwards. */
struct quoit_g {
    union {
        struct context ctx;  /* g  where it goes on */
        const void *born;    /* c  until it starts: where it was spawned (site) */
    };
    struct stack *stk;   /* g  NULL until the first run */
    uint32_t status;     /* a  enum gstate, edges G-OFF, SCAN; written only by gstatus_set() */
    uint32_t scan;       /* a  enum gscan, edge SCAN */
    struct quoit_g *link; /*   next in the one queue or list that it is in */
    uint64_t id;         /* c */
    quoit_fn fn;         /* c */
    union {
        void *arg;             /* g  until the first run */
        struct quoit_g *ahead; /*    then: some places ahead in a shared queue, to be prefetched */
    };
    uint8_t flags;       /* c  enum gflags */
    uint8_t class;       /* c  of the stack it wants */
    uint16_t node;       /* c  home of the record */
    int32_t result;      /* g  then the joiner's */

    union {
        struct {
            struct quoit_g *join;    /* a  joiner, or JOIN_*; edge JOIN */
            const char *reason;      /* g  why it waits */
            struct waiter waiter;    /*    under the lock of the queue it is in */
            struct quoit_g *host;    /* g  in place: the joiner whose stack this is */
            union {
                struct quoit_g *batch; /* next magazine of free records (gfree.c) */
                uintptr_t waits;     /* g  what can be ended early (limit.h), 0: nothing */
            };
            struct m *lockedm;       /* g  the one thread it may run on, NULL: any */
            const void *site;        /* c  where it was spawned: an address behind the call */
            uint32_t since;          /* g  sched.coarse when it began to wait */
            uint16_t lockdepth;      /* g  quoit_lock_thread, counted */
            uint8_t held;            /* g  locks of other people's; with any it keeps its thread */
            uint8_t blocks;          /* a  a hint: its last stretch outside stood still */
            char name[GNAME_MAX];    /* c  with G_NAMED */
            uint64_t limits;         /* a  CANCEL: its deadline, and is it cancelled? (limit.h) */
        };
        char copy[QUOIT_ARG_MAX];
    };
} cacheline_aligned;

_Static_assert(sizeof(struct quoit_g) == 192, "a queued goroutine costs three lines");
assert_line(struct quoit_g, result, 0);
assert_line(struct quoit_g, join, 1);

/* ---- P: the right to run G's ---------------------------------------------------------------- */

/* Room for a batch of a thousand: what spills goes through a lock, and comes back in order later.
 */
enum { RUNQ_SIZE = 1024, FORKQ_SIZE = 1024, GOID_BATCH = 16 };

/* Ready goroutines, first in first out (runq.h). */
struct runq {
    uint32_t head;        /* a  RUNQ-TAKE */
    uint32_t tail;        /* a  RUNQ-PUB; written by the owner only */
    struct quoit_g *next; /* a  RUNQ-NEXT; readied last, runs next */
    struct quoit_g **slot;
    bool alone;           /* c  there is no other P, so no thief */
};

/* Goroutines that have not started (forkq.h). */
struct forkq {
    uint64_t word; /* a  FORKQ-PUB, FORKQ-TAKE; count of puts, head, tail */
    struct quoit_g **slot;
    bool alone;    /* c  as in runq */
};

/* Deadlines (timer.h). */
struct timers {
    int64_t next;         /* a  the first deadline, 0: none; a hint outside the lock */
    struct lock lock;     /*    of all the rest, and of each timer in it */
    uint32_t n, room;
    uint32_t seq;         /* of the next one: equal deadlines keep their order */
    uint32_t free;        /* first free slot; at[] links them */
    struct timer_entry *heap;
    struct timer **timer; /* by slot */
    uint32_t *at;         /* by slot: where in the heap */
};

/* Two magazines of free things between a P and its node (gfree.h, stack.h): lists linked
 * through the things themselves. A full or empty one is exchanged with the node's in one step. */
struct magazines {
    void *full;  /* p  a whole magazine in reserve, or NULL */
    void *top;   /* p  the one in use */
    uint32_t n;  /* p  things in it */
};

/* The ways in which a goroutine that computes gives way (preemption.md). */
enum rung { RUNG_ASKED, RUNG_INJECTED, RUNG_TAKEN, RUNGS };

struct pcount {
    uint64_t spawned, ended, inplace, parked, global, steals, steals_far, wakes;
    uint64_t preempts[RUNGS];
};

struct p {
    /* Line 0: what thieves look at and take from. */
    struct runq runq;
    struct forkq forkq;
    uint64_t schedtick; /* a  written by the owner, +1 a switch; hint for thieves */

    /* Line 1: the owner's. */
    struct m *m cacheline_aligned; /* a  who holds it, NULL: nobody; written by that M */
    uint32_t id;        /* c */
    bool idle;          /* L */
    uint64_t fairat;    /* p  the schedtick at which everything else is looked at */
    uint32_t turn;      /* p  which source that look starts with */
    uint16_t newest;    /* p  forkq_newest at that look */
    uint8_t passed;     /* p  such looks that left the oldest in forkq alone */
    uint32_t goidleft;  /* p */
    uint64_t goid;      /* p  next id of this P's batch */
    struct magazines gfree; /* p */
    struct magazines stacks; /* p  of the default class */

    struct pcount count cacheline_aligned; /* p  read by anybody as hints */

    struct timers timers cacheline_aligned; /* only the holder adds */

    struct p *idlelink cacheline_aligned; /* L */
    uint64_t trimtick;  /* L  its schedtick when stack_trim last saw it idle */
    struct m *lastm;    /* L  who held it last: its thread is bound to the right core */
    struct m *heir;     /*    of who starts the world: the M that is to have it, NULL: a new one */
    bool starts;        /*    the same: it had come to rest, and has work */
    bool stopped;       /* L  came to rest while the world is stopped */
    struct node *node;  /* c */
    struct place place; /*    as near; its node is c */
    const uint16_t *near; /* c  the other P's from near to far */
    const uint8_t *ring;  /* c  their distance */
    struct quoit_g *away; /* p  dead records whose home is another node */
    uint32_t naway;     /* p */
    struct stack *awaystacks; /* p  and free stacks */
    uint32_t nawaystacks;     /* p */

    struct quoit_g *runq_slots[RUNQ_SIZE] cacheline_aligned; /* a */
    struct quoit_g *forkq_slots[FORKQ_SIZE]; /* a */
} cacheline_aligned;

assert_line(struct p, schedtick, 0);
assert_apart(struct p, runq, m);
assert_apart(struct p, m, count);
assert_apart(struct p, count, timers);

/* ---- M: a kernel thread --------------------------------------------------------------------- */

/* What whoever runs next has to do for the goroutine that has just left its stack. */
enum after {
    AFTER_NOTHING,
    AFTER_YIELD,
    AFTER_FIRST, /* ready again, before all others of the P */
    AFTER_LOST,  /* ready again, with no P to be ready on */
    AFTER_PARK,
    AFTER_PARK_STORE,
    AFTER_DEAD
};

/* Why an M was called to the door (syscall.c). */
enum want {
    WANT_P = 1,     /* its P is being taken */
    WANT_COUNT = 2, /* it has no P, and who stops the world waits for it */
    WANT_YIELD = 4, /* its goroutine is to give way */
    WANT_FORGET = 8, /* its goroutine is known to block no more */
    WANT_VISIT = 16, /* the same, and is visited before it goes on (quiesce.c) */
    WANT_PASS = 32,  /* who waits for a grace period is to know that it came by */
    WANT_MAIL = 64   /* its poller has something to do that only it can */
};

struct poller; /* uring/: the poller's state of an M */
struct given;  /* numa/bind.h */

struct m {
    /* Line 0: entry word and switch. */
    uint32_t inside;      /* m  1 while it runs Quoit's own code; edge INSIDE */
    uint32_t revoked;     /* a  look again before going on: see entry_slow(); edge INSIDE */
    struct quoit_g *curg; /* m  NULL on g0 */
    struct p *p;          /* m  NULL: holds none */
    uint32_t after;       /* m  enum after, for prev */
    int32_t locks;        /* m  > 0: in the middle of a switch or of something that must not park */
    struct quoit_g *prev; /* m */
    union {
        int (*unlock)(void *); /* m  AFTER_PARK */
        uint64_t value;        /* m  AFTER_PARK_STORE */
        struct stack *dead;    /* m  AFTER_DEAD: the stack that was left */
    };
    void *unlockarg;      /* m  AFTER_PARK, AFTER_PARK_STORE: the argument, the word */
    uint32_t syscalltick; /* a  +1 a marked call; a hint for sysmon */

    /* Line 1: the poller's marks, looked at when the fairness tick is due. */
    struct poller *poller cacheline_aligned; /* m */
    uint32_t poll_pending;  /* m  operations filled in and not submitted */
    uint32_t poll_inflight; /* m  operations submitted and not reaped */
    struct context g0;      /* m  the thread's own stack, while a goroutine runs */
    struct context scratch; /* m  where a context goes that nobody will resume */
    struct sanitize_stack g0stack; /* m */
    const struct p *seenp;  /* m  a P that may be stuck, NULL: none (schedule.c) */
    struct quoit_g *seen;   /* m  its first one, since seentime */
    int64_t seentime;       /* m */
    uint64_t seentick;      /* m  its schedtick then */
    uint32_t rand;          /* m */
    uint8_t spinlog;        /* m  how long it pauses first when a mutex is held (mutex.c) */
    int boundslot;          /* m  where the thread is bound to, -1: nowhere */
    bool foreign;           /* c  the thread is not Quoit's: its goroutine is the thread itself */
    bool spinning;          /* m  counted in sched.nmspinning; set by who wakes it */
    bool leaving;           /* m  its thread is to end */
    struct quoit_g *forother; /* m  picked, but another M has to run it */
    struct quoit_g *lockedg;  /* m  the one goroutine that may run here, NULL: any */
    int64_t handedoff;      /* m  when a marked call gave the P away at once */

    /* Line 3: written by who wakes it. */
    struct p *nextp cacheline_aligned; /* L  the P it was woken for */
    struct p *lastp;        /* m  held last */
    struct m *idlelink;     /* L */
    uint32_t wakers;        /* a  WAKER: chose it under the lock and have not woken it yet */
    struct lock lock;       /*    of the next two; and of p, while the M is outside */
    uint32_t want;          /*    enum want */
    bool lost;              /*    its P was taken */
    bool hog;               /*    and its goroutine computes on: counted in sched.nhogs */
    bool keeps;             /*    its goroutine is pinned: the P was not to be had */
    const struct quoit_g *awaited; /* of who is in quoit_synchronize, NULL: nobody */
    bool idle;              /* L  on the idle list */
    bool parked;            /* L  waits for its locked goroutine */
    bool awake;             /* L  idle or parked, and looks after completions all the same */
    uint8_t starves;        /* L  holds a P and waits for a stack: its class + 1 */
    bool open;              /* L  can be woken */
    int help;            /* a  WORLD-HELP: its share of a parallel phase, 0: none (world.c) */
    bool joined;            /*    under lock: its thread is gone, or is the caller's own again */
    int node;               /* m  of lastp; hint for others */
    int tid;                /* a  its thread's, 0: not begun */
    int64_t hogcpu;         /*    under lock: its thread's clock at sysmon's last look, 0: none */
    struct given *given;    /* m  of its thread; under lock while it has lost its P */
    uint32_t id;            /* c */
    struct m *alllink;      /* c  on sched.allm from birth to end */
    pthread_t thread;       /* c  not for m0 */
    uintptr_t *guard;       /*    under lock: the guard word of its thread, NULL: it has none */
    timer_t timer;          /*    the same, with has_timer */
    bool has_timer;
    int64_t hurried;        /* a  a hint: when it was last asked by rungs_hurry */
    uint32_t tries;         /* a  a hint: signals since it was asked */
    uint64_t signals;       /* m  that came; read by anybody */
    uint32_t still;         /* a  HOLD: the turn in which its thread stands still (hold.c) */
    struct note gone;       /* a  NOTE: the thread does nothing more but end */
    void *sigstack;         /* c */
    struct sampleq sampleq; /* of the profiler (profile.c), under whose lock the rest is: */
    timer_t samptimer;      /*    of its thread's cpu clock, when `sampled` */
    bool sampling, sampled; /*    it may be given a timer; it has one */
} cacheline_aligned;

assert_line(struct m, unlockarg, 0);
assert_apart(struct m, inside, nextp);

/* ---- N: a NUMA node ------------------------------------------------------------------------- */

struct gqueue {
    struct quoit_g *first, *last; /* N */
    uint32_t n;                   /* a  hint outside the lock */
};

struct depot {
    void *magazines; /* N  full ones */
};

struct node {
    struct lock lock cacheline_aligned;
    struct gqueue runq; /* ready and unstarted ones that found no room, or came from outside */
    int id;             /* c */
    const int *near;    /* c  all nodes from near to far, itself first */

    struct lock memlock cacheline_aligned; /* the rest of the struct */
    struct depot gfree;
    struct quoit_g *loose; /* dead records on their way into a magazine */
    uint32_t nloose;
    struct gslab *gslabs;
    struct stackpool *stackpools; /* one a class */
} cacheline_aligned;

/* ---- the process ---------------------------------------------------------------------------- */

struct sched {
    /* Line 0: read at each submit, written when P's go idle or M's start and stop spinning. */
    uint32_t npidle cacheline_aligned;     /* a  SPIN-DOWN */
    uint32_t nmspinning;                   /* a  SPIN-DOWN */
    uint32_t coarse;                       /* a  milliseconds since start; sysmon's, a hint */

    uint32_t nprocs cacheline_aligned;     /* a  changes while the world is stopped only */
    uint32_t nallp;                        /* a  P's ever made: nprocs or more */
    uint32_t nnodes;                       /* c */
    struct p **allp;                       /* c  room for PROCS_MAX */
    struct node *nodes;                    /* c */
    uint32_t stopping;                     /* a  M's leave at their next look */
    uint32_t gcwaiting;                    /* a  the world is stopped, or about to be */
    uint32_t starving;                     /* L a  M's that wait for a stack to become free */
    uint32_t nlost;                        /* a  M's outside whose P was taken */
    uint32_t nhogs;                        /* a  of those, that compute; a hint */
    uint32_t nforeign;                     /* a  threads that are not ours and are attached */
    uint32_t draining;                     /* a  quoit_shutdown waits for the last goroutine */
    enum bind_mode bind;                   /*    as nprocs */
    uint64_t goidgen cacheline_aligned;    /* a  next batch of ids */

    struct lock lock cacheline_aligned;
    struct p *idlep;      /* L */
    struct m *idlem;      /* L */
    uint32_t nmidle;      /* L */
    struct m *allm;       /* a  ALLM: grows at the front; records stay until the end */
    struct m *freem;      /* L  those whose thread has gone */
    uint32_t nm;          /* L  a */
    uint32_t maxm;        /* L */
    struct lock takelock; /*    one at a time takes P's from others; before lock */
    uint32_t stopwait;    /* a  WORLD: P's and M's that have not come in */
    struct note stopnote; /* a  NOTE: they have */
    uint64_t handoffs;    /* a  P's given away at once by calls that block */
    uint64_t stops;       /* a  of the world; by who stops it */
    uint64_t retakes;     /* a  P's taken from M's that were outside */
    uint64_t nlooks;      /* L  times that an M without a P looked after completions */
    bool sysmonwait;      /* a  sysmon sleeps until work begins; written under the lock */
    struct note sysmonnote; /* a  NOTE */
    uint64_t mgen;        /* L */
    struct note drained;  /* a  NOTE: an M went idle while draining */
    struct order order;   /* c */
    struct place *places; /* c */
    int *nodenear;        /* c  nnodes rows */
    sigset_t sigmask;     /* c  of the thread that started Quoit; every M's */
    struct m *m0;         /* c  the thread in quoit_main, NULL under quoit_init */
    int mainresult;       /*    of the first goroutine; read by m0 when all have stopped */
    uint64_t trimmed;     /* a  bytes of unused stacks given back; by the housekeeper */
    bool chosen;          /* a  a hint: the program said how many P's, so they follow no machine */
    uint64_t follows;     /* a  times that the P's followed the machine; the housekeeper's */
    uint64_t foreign_spawned; /* a  by threads that are not ours */
};

extern struct sched sched;

#endif
