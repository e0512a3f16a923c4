/* SPDX-License-Identifier: BSD-3-Clause
 * env.h - what the environment and the program's options ask for, read once at start
 *
 */
#ifndef QUOIT_SCHED_ENV_H
#define QUOIT_SCHED_ENV_H

#include "place.h"

#include "quoit.h"

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum io_choice { IO_AUTO, IO_URING, IO_POSIX };
enum guard_choice { GUARD_AUTO, GUARD_MADVISE, GUARD_MPROTECT, GUARD_CANARY };
enum traceback {
    TRACEBACK_NONE,
    TRACEBACK_SINGLE,
    TRACEBACK_ALL,
    TRACEBACK_SYSTEM,
    TRACEBACK_CRASH,
    TRACEBACK_UNSET /* single for a fatal error, all for SIGQUIT */
};

/* What may become the default one day, or go away; bits of env.experiments. */
enum experiment {
    EXPERIMENT_DEFER = 1,
    EXPERIMENT_5_15 = 2, /* io_uring as older kernels have it, see env_kernel() */
    EXPERIMENT_6_1 = 4,
    EXPERIMENT_6_6 = 8,
    EXPERIMENT_SQPOLL = 16,
};

/* Macros, as the texts of the table spell them out. */
#define PROCS_MAX 1024         /* the table of who steals from whom grows by the square: 3 MiB */
#define THREADS_MAX 4194304    /* the kernel has no more thread ids */
#define THREADS_DEFAULT 10000
#define MAXBLOCKED_MAX 65536
#define MAXBLOCKED_DEFAULT 512
#define MAXHOGS_DEFAULT 64
#define HELPERS_MAX 1024       /* each is a kernel thread that waits for a device */

struct env {
    int procs;               /* GOMAXPROCS, 0: as found */
    int max_threads;         /* QUOIT_MAXTHREADS */
    size_t stack_size;       /* QUOIT_STACK, bytes, 0: default */
    size_t stack_limit;      /* QUOIT_STACKLIMIT, bytes, 0: none */
    enum bind_mode bind;     /* QUOIT_BIND */
    enum io_choice io;       /* QUOIT_IO */
    enum guard_choice guard; /* QUOIT_GUARD */
    int max_blocked;         /* QUOIT_MAXBLOCKED */
    int max_hogs;            /* QUOIT_MAXHOGS */
    int64_t quantum;         /* QUOIT_QUANTUM, ns */
    int helpers;             /* QUOIT_HELPERS: most helper threads of the posix way, 0: default */
    enum traceback traceback; /* GOTRACEBACK */
    int64_t godebug;         /* GODEBUG: see godebug() */
    unsigned experiments;    /* QUOIT_EXPERIMENT: enum experiment, or'ed */
    const char *cpuprofile;  /* QUOIT_CPUPROFILE: a path, NULL: none; the environment's own */
    unsigned flags;          /* of quoit_options; QUOIT_NO_BIND is in `bind` already */
    void (*log)(int level, const char *line, void *arg);
    void *log_arg;
};

extern struct env env;

/* GOTRACEBACK, or `fallback` where it is not set. */
static inline enum traceback env_traceback(enum traceback fallback)
{
    return env.traceback != TRACEBACK_UNSET ? env.traceback : fallback;
}

/* Fills `env` anew. NULL: all defaults. A wrong value in the environment is a
 * warning, and what would hold without it; a wrong option is -EINVAL. */
int env_load(const struct quoit_options *options);

/* Of env.godebug: the milliseconds of schedtrace, 0: none; above them what is on or off. */
enum godebug { GODEBUG_DETAIL = 1, GODEBUG_HOGS = 2, GODEBUG_ASYNC_OFF = 4 };

static inline int godebug_schedtrace(void)
{
    return (int)(env.godebug & INT32_MAX);
}

static inline bool godebug(enum godebug what)
{
    return env.godebug >> 32 & (int64_t)what;
}

static inline bool experiment(enum experiment e)
{
    return env.experiments & (unsigned)e;
}

/* What io_uring is to have is what it had in this version of Linux at most, 515 for 5.15. */
static inline int env_kernel(void)
{
    if (experiment(EXPERIMENT_5_15))
        return 515;
    if (experiment(EXPERIMENT_6_1))
        return 601;
    return experiment(EXPERIMENT_6_6) ? 606 : INT_MAX;
}

/* A word that a variable knows, with a sentence about it. */
struct env_word {
    const char *name, *text;
    unsigned bit;
};

/* A row a variable, for the parser and for the documentation made from it. */
struct env_row {
    const char *name;     /* GOMAXPROCS */
    const char *values;   /* "1 to 1024" */
    const char *fallback; /* "as many as the cpus this process may use" */
    const char *text;     /* what it does, a sentence or two */
    uint16_t at, bytes;   /* the field of struct env */
    int64_t (*parse)(const struct env_row *row, const char *value); /* negative: cannot be */
    int64_t min, max;     /* of what parse may return */
    const struct env_word *words; /* NULL, or what is explained one by one, up to a NULL name */
};
int env_rows(const struct env_row **rows);
/* Warns of names in the environment that begin like those of the table and are not in it. */
void env_names_look(void);

/* 64, 64K, 1M, 2G, 1T; -EINVAL when it is none of these. */
int64_t parse_size(const char *value);
/* 100us, 10ms, 1s in nanoseconds; -EINVAL when it is none of these. */
int64_t parse_time(const char *value);

/* The experiments in a list of names with commas between. A name that there is none of is a
 * warning, and the others hold. */
unsigned parse_experiments(const char *value);

#endif
