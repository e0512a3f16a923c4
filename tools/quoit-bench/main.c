/* SPDX-License-Identifier: BSD-3-Clause
 * main.c - what to measure, and in which order
 *
 * This process never starts Quoit itself; run.c makes a child for each run.
 */
#include <argp.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "quoit.h"

#include "bench.h"

enum { BAD_INPUT = 2, PROCS_MAX = 1024, RUNS_MAX = 100000 };
enum { TOUR_RUNS = 3, RUNS = 5, GOROUTINES = 64, LIMIT_SECONDS = 300, IDLE_SECONDS = 3 };
enum { IDLE_SPARE_SECONDS = 30, DATA_MIB = 1024, DATA_MIB_MAX = 1 << 24 };

static const uint64_t run_ns = 400000000, tour_run_ns = 200000000;

static const struct workload *const yardsticks[] = {
    &workload_call, &workload_switch, &workload_getppid, &workload_caspair, &workload_touch};

static const struct workload *const workloads[] = {
    &workload_yield_2,    &workload_yield_1000,  &workload_yield_mixed, &workload_spawn,
    &workload_spawn_park, &workload_pingpong,    &workload_mutex,       &workload_mutex_64,
    &workload_forkjoin,   &workload_forkjoin_wg, &workload_park,        &workload_queue,
    &workload_wake,       &workload_wake_idle,   &workload_timers,      &workload_timers_many,
    &workload_timers_overload, &workload_marked,
    &workload_fairness,   &workload_block,       &workload_stopworld,
    &workload_scan_hot,   &workload_scan_cold,   &workload_randread_hot,
    &workload_randread_direct, &workload_seqread,     &workload_fsync,
    &workload_pipeline,   &workload_iolatency,   &workload_iolatency_hog,
    &workload_preempt_loop,    &workload_preempt_calls,  &workload_preempt_qsort,
    &workload_preempt_memcpy,  &workload_preempt_malloc, &workload_preempt_printf,
    &workload_preempt_masked,
    &workload_echo_64,    &workload_echo_1000,   &workload_echo_10000,
};

static const char *const peer_names[PEERS] = {
    [PEER_QUOIT] = "quoit",
    [PEER_PTHREAD] = "pthread",
    [PEER_EPOLL] = "epoll",
    [PEER_URING] = "uring",
};

static bool selected[array_len(workloads)];
static bool any_selected, cold, list_only;
static const char *json_path;
static struct options options = {
    .peer = {true, true, true, true},
    .dir = "/usr/share",
    .goroutines = GOROUTINES,
    .idle_seconds = IDLE_SECONDS,
    .limit_seconds = LIMIT_SECONDS,
    .data_size = (uint64_t)DATA_MIB << 20,
    .target_ns = run_ns,
};

/* Seen by libc, or there is no --version. */
__attribute__((visibility("default"))) const char *argp_program_version =
    "quoit-bench " QUOIT_VERSION;

enum {
    OPT_LIST = 256,
    OPT_ITERATIONS,
    OPT_JSON,
    OPT_PEERS,
    OPT_NO_PEERS,
    OPT_DIR,
    OPT_COLD,
    OPT_TOUR,
    OPT_GOROUTINES,
    OPT_IDLE,
    OPT_LIMIT,
    OPT_DATA,
    OPT_SIZE
};

static const struct argp_option argp_options[] = {
    {"list", OPT_LIST, NULL, 0, "Say which workloads there are, and end", 0},
    {"procs", 'p', "N[,N...]", 0, "Measure on N P's (else: each workload's own widths)", 0},
    {"runs", 'r', "N", 0, "Runs of each; the median counts (5; with --tour 3)", 0},
    {"iterations", 'n', "N", 0, "Operations a run (else: as many as take 0.4 s)", 0},
    {"json", OPT_JSON, "FILE", 0, "Write all results to FILE too", 0},
    {"peers", OPT_PEERS, "NAME[,NAME...]", 0, "Only these of: quoit, pthread, epoll, uring", 0},
    {"no-peers", OPT_NO_PEERS, NULL, 0, "Measure Quoit alone", 0},
    {"tour", OPT_TOUR, NULL, 0, "A chosen set in about a minute, with what each figure means", 0},
    {"dir", OPT_DIR, "DIR", 0, "What scan reads (/usr/share)", 1},
    {"cold", OPT_COLD, NULL, 0, "scan-cold too: drop the page cache before each run", 1},
    {"goroutines", OPT_GOROUTINES, "N", 0, "How many of scan read at once (64)", 1},
    {"idle", OPT_IDLE, "SECONDS", 0, "How long wake-idle watches (3)", 1},
    {"data", OPT_DATA, "DIR", 0, "Where the data file is made ($TMPDIR, or /var/tmp)", 1},
    {"size", OPT_SIZE, "MIB", 0, "How large it is (1024)", 1},
    {"limit", OPT_LIMIT, "SECONDS", 0, "A run that takes longer has failed (300; 0: none)", 1},
    {0},
};

/* ---- reading the command line */

static void __attribute__((noreturn, format(printf, 1, 2))) bad(const char *format, ...)
{
    va_list ap;

    fputs("quoit-bench: ", stderr);
    va_start(ap, format);
    vfprintf(stderr, format, ap);
    va_end(ap);
    fputc('\n', stderr);
    exit(BAD_INPUT);
}

static long long whole_number(const char *option, const char *text, long long least, long long most)
{
    char *end;
    long long n;

    errno = 0;
    n = strtoll(text, &end, 10);
    if (errno || end == text || *end || n < least || n > most)
        bad("--%s takes a whole number from %lld to %lld, not \"%s\"", option, least, most, text);
    return n;
}

static void read_widths(char *text)
{
    char *rest = text;

    for (char *one = strsep(&rest, ","); one; one = strsep(&rest, ",")) {
        if (options.num_widths == WIDTHS_MAX)
            bad("--procs takes at most %d numbers", WIDTHS_MAX);
        options.widths[options.num_widths++] = (int)whole_number("procs", one, 1, PROCS_MAX);
    }
}

static void read_peers(char *text)
{
    char *rest = text;

    memset(options.peer, 0, sizeof(options.peer));
    for (char *one = strsep(&rest, ","); one; one = strsep(&rest, ",")) {
        int i = 0;

        while (i < PEERS && strcmp(one, peer_names[i]) != 0)
            i++;
        if (i == PEERS)
            bad("no peer \"%s\"; there are: quoit, pthread, epoll, uring", one);
        options.peer[i] = true;
    }
}

bool peer_wanted(const struct options *o, const char *peer)
{
    for (int i = 0; i < PEERS; i++) {
        size_t len = strlen(peer_names[i]);

        if (strncmp(peer, peer_names[i], len) == 0 && (!peer[len] || peer[len] == '-'))
            return o->peer[i];
    }
    return true;
}

/* True: a workload or a group of them has that name. */
static bool select_name(const char *name)
{
    bool found = false;

    for (size_t i = 0; i < array_len(workloads); i++) {
        const struct workload *w = workloads[i];
        bool by_group = w->group && strcmp(name, w->group) == 0 && !w->only_named;

        if (by_group || strcmp(name, w->name) == 0)
            selected[i] = found = true;
    }
    any_selected |= found;
    return found;
}

static bool is_workload(const char *name)
{
    for (size_t i = 0; i < array_len(workloads); i++)
        if (strcmp(name, workloads[i]->name) == 0 ||
            (workloads[i]->group && strcmp(name, workloads[i]->group) == 0))
            return true;
    return false;
}

/* The word behind `scan` is its directory, unless it is a workload's name. */
static void read_word(const char *word, struct argp_state *state)
{
    const char *next;

    if (!select_name(word))
        bad("no workload \"%s\"; --list says which there are%s", word,
            strchr(word, '/') ? ", and a directory comes right behind scan" : "");
    if (strncmp(word, "scan", 4) != 0 || state->next >= state->argc)
        return;
    next = state->argv[state->next];
    if (next[0] != '-' && !is_workload(next)) {
        options.dir = next;
        state->next++;
    }
}

static error_t read_option(int key, char *arg, struct argp_state *state)
{
    switch (key) {
    case OPT_LIST:
        list_only = true;
        return 0;
    case 'p':
        read_widths(arg);
        return 0;
    case 'r':
        options.runs = (int)whole_number("runs", arg, 1, RUNS_MAX);
        return 0;
    case 'n':
        options.iterations = (uint64_t)whole_number("iterations", arg, 1, 1000000000000);
        return 0;
    case OPT_JSON:
        json_path = arg;
        return 0;
    case OPT_PEERS:
        read_peers(arg);
        return 0;
    case OPT_NO_PEERS:
        memset(options.peer, 0, sizeof(options.peer));
        options.peer[PEER_QUOIT] = true;
        return 0;
    case OPT_DATA:
        options.data_dir = arg;
        return 0;
    case OPT_SIZE:
        options.data_size = (uint64_t)whole_number("size", arg, 1, DATA_MIB_MAX) << 20;
        return 0;
    case OPT_DIR:
        options.dir = arg;
        return 0;
    case OPT_COLD:
        cold = true;
        return 0;
    case OPT_TOUR:
        options.tour = true;
        options.target_ns = tour_run_ns;
        return 0;
    case OPT_GOROUTINES:
        options.goroutines = (int)whole_number("goroutines", arg, 1, 100000);
        return 0;
    case OPT_IDLE:
        options.idle_seconds = (int)whole_number("idle", arg, 1, 86400);
        return 0;
    case OPT_LIMIT:
        options.limit_seconds = (int)whole_number("limit", arg, 0, 86400 * 7);
        return 0;
    case ARGP_KEY_ARG:
        read_word(arg, state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp argp = {
    .options = argp_options,
    .parser = read_option,
    .args_doc = "[WORKLOAD... | scan [DIR]]...",
    .doc = "Measures Quoit on this machine, beside kernel threads and loops written by hand.\v"
           "Without a WORKLOAD all are measured but scan-cold. Exit code: 0 all went well, 1 a run "
           "failed or peers read different things, 2 bad input.",
};

/* ---- what to do */

static void list(void)
{
    for (size_t i = 0; i < array_len(workloads); i++)
        printf("%-14s %s\n", workloads[i]->name, workloads[i]->about);
    puts("\nYardsticks, measured in every run:");
    for (size_t i = 0; i < array_len(yardsticks); i++)
        printf("%-14s %s\n", yardsticks[i]->name, yardsticks[i]->about);
}

static bool will_run(const struct workload *w)
{
    for (size_t i = 0; i < array_len(workloads); i++)
        if (workloads[i] == w)
            return selected[i];
    return false;
}

static void select_default(void)
{
    for (size_t i = 0; i < array_len(workloads) && !any_selected; i++)
        selected[i] = options.tour ? workloads[i]->heading != NULL : !workloads[i]->only_named;
    if (cold && will_run(&workload_scan_hot))
        select_name(workload_scan_cold.name);
}

static void check_dir(void)
{
    int fd;

    if (!will_run(&workload_scan_hot) && !will_run(&workload_scan_cold))
        return;
    fd = open(options.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        bad("scan needs a directory it can read, and %s is none: %s", options.dir, strerror(errno));
    close(fd);
}

static void set_up(void)
{
    struct sigaction sa = {.sa_handler = run_stop, .sa_flags = SA_RESTART};
    const char *bind;
    int err;

    if (!options.runs)
        options.runs = options.tour ? TOUR_RUNS : RUNS;
    select_default();
    if (will_run(&workload_wake_idle) && options.limit_seconds &&
        options.limit_seconds < options.idle_seconds + IDLE_SPARE_SECONDS)
        options.limit_seconds = options.idle_seconds + IDLE_SPARE_SECONDS;
    check_dir();
    err = json_path ? json_open(json_path) : 0;
    if (err)
        bad("cannot write %s: %s. Name a file that can be written", json_path, strerror(-err));
    /* Others would wander over cores, and two programs seldom measure at once. */
    bind = getenv("QUOIT_BIND");
    setenv("QUOIT_BIND", "core", bind && !*bind);
    sigaction(SIGINT, &sa, NULL);
    sigaction(SIGTERM, &sa, NULL);
}

/* The widths of a workload, without doubles. */
static int widths_of(const struct workload *w, const struct machine *m, int *widths)
{
    int n = 0;

    if (w->one_always) {
        widths[n++] = 1;
    } else if (options.num_widths) {
        for (int i = 0; i < options.num_widths; i++)
            if (options.widths[i] > 1 || !(w->widths & MANY))
                widths[n++] = options.widths[i];
    } else {
        if (w->widths & ONE)
            widths[n++] = 1;
        if ((w->widths & TWO) && m->width >= 2)
            widths[n++] = 2;
        if ((w->widths & ALL) && !(n && m->width == 1))
            widths[n++] = m->width;
        if ((w->widths & MANY) && m->width >= 2)
            widths[n++] = m->width;
    }
    return n;
}

static const char *why_not(const struct workload *w)
{
    return w->why_not ? w->why_not(&options) : NULL;
}

static bool run_one(const struct workload *w, const struct machine *m)
{
    int widths[WIDTHS_MAX], n = widths_of(w, m, widths);
    bool good = true;

    if (why_not(w)) {
        report_skip(w->name, NULL, why_not(w));
        return true;
    }
    if (!n)
        report_skip(w->name, NULL, "it needs two P's on two cpus");
    else if ((w->widths & TWO) && !options.num_widths && m->width < 2)
        report_skip(w->name, NULL, "on two P's only: there is one cpu");
    for (int i = 0; i < n && !interrupted; i++)
        good &= run_workload(w, widths[i], &options);
    return good;
}

static bool run_everything(struct machine *m)
{
    bool good = true;

    for (size_t i = 0; i < array_len(yardsticks) && !interrupted; i++) {
        /* park measures it itself, over as many pages as it has goroutines. */
        if (yardsticks[i] != &workload_touch || !will_run(&workload_park) ||
            why_not(&workload_park) || !options.peer[PEER_QUOIT])
            good &= run_workload(yardsticks[i], 1, &options);
        m->call_ns = yardstick_call_ns;
    }
    for (size_t i = 0; i < array_len(workloads) && !interrupted; i++)
        if (selected[i])
            good &= run_one(workloads[i], m);
    return good;
}

int main(int argc, char **argv)
{
    struct machine machine;
    bool good;
    int err;

    argp_err_exit_status = BAD_INPUT;
    argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, NULL);
    if (list_only) {
        list();
        return 0;
    }
    set_up();
    machine_look(&machine, &options);
    report_begin(&machine, options.tour);
    if (machine.error[0])
        report_note("Quoit does not run here: %s", machine.error);
    good = run_everything(&machine) && !machine.error[0];
    report_end();
    err = json_write(&machine, interrupted != 0);
    if (err) {
        report_note("cannot write %s: %s", json_path, strerror(-err));
        return 1;
    }
    if (interrupted)
        return 128 + interrupted;
    return good ? 0 : 1;
}
