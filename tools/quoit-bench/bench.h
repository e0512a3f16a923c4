/* SPDX-License-Identifier: BSD-3-Clause
 * bench.h - what a workload is, and what passes between main.c, run.c and the workloads
 *
 * A workload is measured for one or more peers (its sides). One run of one side
 * is one child process: Quoit is started and stopped in it, no heap and no
 * thread outlives it, and a crash costs one row. The child leaves its numbers
 * in struct outcome, which it shares with its parent.
 */
#ifndef BENCH_H
#define BENCH_H

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define array_len(a) (sizeof(a) / sizeof((a)[0]))

enum {
    METRICS_MAX = 7,
    SIDES_MAX = 6,
    WIDTHS_MAX = 16,
    SPAWN_BATCH = 1000,
    PEER_STACK = 65536, /* threads of the pthread peer get as much as a goroutine */
};

/* What walk.c met and left out, and what could not be read. */
enum skip {
    SKIP_LINK,
    SKIP_SPECIAL,
    SKIP_KERNEL,
    SKIP_DENIED,
    SKIP_GONE,
    SKIP_FAILED,
    SKIP_KINDS,
    SKIP_NAMED = 3, /* of each kind so many are named */
    SKIP_NAME = 160,
};

struct tally {
    uint64_t count[SKIP_KINDS];
    char name[SKIP_KINDS][SKIP_NAMED][SKIP_NAME];
};

struct outcome {
    uint64_t elapsed_ns; /* of the measured part; calibration goes by it */
    uint64_t count;      /* operations done in it */
    double value[METRICS_MAX];
    char error[200]; /* empty: the run is good */

    /* scan only */
    uint64_t files, bytes, digest;
    int workers;
    struct tally skipped;

    /* the probe only */
    int procs;
    bool rings;
};

enum { PEER_QUOIT, PEER_PTHREAD, PEER_EPOLL, PEER_URING, PEERS };

struct options {
    int runs;
    uint64_t iterations; /* 0: calibrated */
    int widths[WIDTHS_MAX];
    int num_widths; /* 0: each workload's own */
    bool peer[PEERS];
    const char *dir;
    const char *data_dir;  /* where the data file is made */
    uint64_t data_size;    /* bytes, a multiple of 1 MiB */
    int goroutines; /* of scan */
    int idle_seconds;
    int limit_seconds;
    uint64_t target_ns; /* that a calibrated run should take */
    bool tour;
};

struct job {
    uint64_t iterations;
    int procs;
    int factor; /* of the side */
    const struct options *options;
    struct outcome *out;
};

enum { ONE = 1, TWO = 2, ALL = 4, MANY = 8 /* all, and at least two */ };

/* The function of a side gets a struct job and returns 0, or -errno with or
 * without outcome.error. */
typedef int (*side_fn)(void *job);

struct side {
    const char *peer;
    side_fn run;
    bool in_quoit; /* runs as the first goroutine */
    const char *(*why_not)(void); /* this machine cannot run it; NULL: it can */
    int factor; /* what tells it from others of the same function */
};

struct metric {
    const char *name; /* the row's name in table and JSON */
    const char *unit;
    const char *means; /* a sentence for the tour */
    const char *peer;  /* of the row; NULL: that of the side */
    const char *only;  /* sides of this peer have it; NULL: all */
    bool tour;
    bool ratio; /* Quoit's over that of each peer, pair by pair, is a row too */
};

struct workload {
    const char *name;
    const char *group; /* a name that selects several */
    const char *about;
    const char *heading;      /* of the tour; NULL: not in it */
    const char *thread_means; /* the tour's sentence for the pthread side */
    struct metric metrics[METRICS_MAX + 1];
    struct side sides[SIDES_MAX + 1];
    unsigned widths;          /* of ONE, TWO, ALL, MANY */
    uint64_t start;           /* operations of the first calibration run */
    bool whole;               /* does all there is, whatever --iterations says */
    bool fixed;               /* always `start` operations, unless --iterations says otherwise */
    uint64_t tour_iterations; /* of a fixed one; 0: as ever */
    bool one_always;          /* on one P, whatever --procs says */
    bool only_named;          /* not part of "everything" */
    bool warm;                /* one run before the first is thrown away */
    bool scans; /* reads files: one digest for all runs, and only the best pool is a result */
    /* Why this machine cannot run it; NULL: it can. */
    const char *(*why_not)(const struct options *o);
    /* In the parent, before each run; returns 0 or -errno. */
    int (*prepare)(const struct options *o);
};

extern const struct workload workload_call, workload_switch, workload_getppid, workload_caspair,
    workload_touch, workload_yield_2, workload_yield_1000, workload_yield_mixed, workload_spawn,
    workload_spawn_park, workload_pingpong, workload_mutex, workload_mutex_64, workload_forkjoin,
    workload_forkjoin_wg, workload_park, workload_queue, workload_wake, workload_wake_idle,
    workload_timers, workload_timers_many, workload_timers_overload, workload_marked,
    workload_fairness, workload_block, workload_stopworld,
    workload_scan_hot, workload_scan_cold, workload_randread_hot,
    workload_randread_direct, workload_echo_64, workload_echo_1000, workload_echo_10000,
    workload_preempt_loop, workload_preempt_calls, workload_preempt_qsort,
    workload_preempt_memcpy, workload_preempt_malloc, workload_preempt_printf,
    workload_preempt_masked,
    workload_seqread, workload_fsync, workload_iolatency, workload_iolatency_hog,
    workload_pipeline;

/* One row of the table, one element of "results". */
struct result {
    const char *workload, *peer, *unit, *means;
    int procs;
    bool ratio; /* of Quoit to a peer */
    uint64_t iterations;
    size_t runs;
    double *value;  /* in the order of the runs */
    double call_ns; /* the yardstick `call`, measured between these runs; 0: not */
    char error[200];
    const struct outcome *scanned; /* scan: what was done; else NULL */
    const char *cold;              /* how the cache was dropped; NULL: it was not */
};

double result_median(const struct result *r);
double result_min(const struct result *r);
double result_max(const struct result *r);
double result_quantile(const struct result *r, double q);

/* ---- main.c */

/* Whether --peers wants it. A peer's name may go on behind a hyphen, as in
 * uring-once; yardsticks are always wanted. */
bool peer_wanted(const struct options *o, const char *peer);

/* ---- run.c */

/* The signal that asked to stop, SIGINT or SIGTERM, or 0: then nothing more is
 * started, and what there is gets reported. */
extern volatile sig_atomic_t interrupted;

/* A signal handler for those: also ends the child that runs. */
void run_stop(int sig);

/* The median of the workload `call`; 0 before it was measured. */
extern double yardstick_call_ns;

/* Runs `run` once in a child. What went wrong is in out->error. */
void run_child(const struct side *side, const struct job *job);

/* Measures all sides of a workload on `procs` P's, run by run in turn, and
 * reports the rows. False: a run failed, or the sides did not do the same work. */
bool run_workload(const struct workload *w, int procs, const struct options *o);

/* For the workloads: elapsed time over operations done is metric 0. */
void outcome_per_op(struct outcome *out, uint64_t elapsed_ns, uint64_t count);

/* Fills outcome.error and returns -1: the work was done wrong. */
int outcome_wrong(struct outcome *out, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* ---- machine.c */

struct machine {
    char cpu[128], kernel[160];
    int cores; /* cpus this process may use */
    long memory_mb;
    int width;      /* P's that Quoit would have by itself */
    const char *io; /* "uring", "posix", or "unknown" where Quoit did not start */
    const char *bind;
    char quoit[32];
    double call_ns;  /* 0 until measured */
    char error[200]; /* of the probe */
};

void machine_look(struct machine *m, const struct options *o);

/* Keeps the calling process on n cpus, whole cores first; n past what is
 * allowed means all. */
void machine_confine(int n);

/* How many cpus this process may use. */
int machine_cpus(void);

/* Binds the calling thread to the n-th cpu, from 0, in that order, and counted
 * from before the process was confined. False: there are not so many. */
bool machine_take_cpu(int n);

/* The system calls that Quoit's operations took until now, by its own counters. */
uint64_t quoit_system_calls(void);

/* ---- report.c */

void report_begin(const struct machine *m, bool tour);
void report_heading(const struct workload *w);
void report_row(const struct result *r);
void report_scan(const struct outcome *out, const char *peer, double rate);
void report_skipped(const struct outcome *out, const char *dir);
void report_note(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The peer is NULL: all of them. */
void report_skip(const char *workload, const char *peer, const char *why);
void report_end(void);

/* Shown on a terminal only, and gone before the next line is printed. */
void progress(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* ---- json.c */

/* Makes the file that json_write fills; -errno. Done before anything is
 * measured. */
int json_open(const char *path);
void json_add(const struct result *r);
void json_add_skip(const char *workload, const char *peer, const char *why);
/* Puts the finished object in the place of `path`; -errno. */
int json_write(const struct machine *m, bool cut_short);

#endif
