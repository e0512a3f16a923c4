/* SPDX-License-Identifier: BSD-3-Clause
 * env.c - every variable of the environment: one table, one parser, one way to complain
 *
 * Called at start, by one thread, before there is anything else. A field first
 * gets its default, then what the program's options say, then what the
 * environment says, so a value that cannot be leaves the one before in place.
 * Programs that run with the rights of another (setuid) take nothing from the
 * environment.
 *
 * Documentation/environment.md and quoit-env(7) are made from the table by
 * envdoc.c.
 */
#include "env.h"

#include "compiler.h"

#include "stack.h"
#include "throw.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#define TEXT(x) TEXT1(x)
#define TEXT1(x) #x
#define FIELD(f) .at = offsetof(struct env, f), .bytes = sizeof(((struct env *)NULL)->f)

/* Nanoseconds. Less than the least is a wake-up of the watchman all the time. */
#define QUANTUM_DEFAULT 10000000
#define QUANTUM_MIN 100000
#define QUANTUM_MAX 1000000000

struct env env;

static const struct env defaults = {
    .max_threads = THREADS_DEFAULT,
    .max_blocked = MAXBLOCKED_DEFAULT,
    .max_hogs = MAXHOGS_DEFAULT,
    .quantum = QUANTUM_DEFAULT,
    .traceback = TRACEBACK_UNSET,
};

/* Stacks that there is a class for, and what a 47-bit address space can hold. */
#define STACK_MIN (INT64_C(16) << 10)
#define STACK_MAX (INT64_C(1) << 30)
#define LIMIT_MAX (INT64_C(128) << 40)

/* ---- values --------------------------------------------------------------------------------- */

/* Digits at the start of *value, which moves behind them. */
static int64_t digits(const char **value)
{
    int64_t n = 0;
    const char *s = *value;

    if (*s < '0' || *s > '9')
        return -EINVAL;
    for (; *s >= '0' && *s <= '9'; s++)
        if (__builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, *s - '0', &n))
            return -EINVAL;
    *value = s;
    return n;
}

static int64_t parse_number(const struct env_row *row unused_arg, const char *value)
{
    int64_t n = digits(&value);

    return *value == '\0' ? n : -EINVAL;
}

int64_t parse_size(const char *value)
{
    static const char units[] = "KMGT";
    int64_t n = digits(&value), scale = 1;

    if (n < 0 || *value == '\0')
        return n;
    for (const char *u = units; *u != '\0'; u++) {
        scale *= 1024;
        if ((*value == *u || *value == *u + ('a' - 'A')) && value[1] == '\0')
            return __builtin_mul_overflow(n, scale, &n) ? -EINVAL : n;
    }
    return -EINVAL;
}

static int64_t parse_bytes(const struct env_row *row unused_arg, const char *value)
{
    return parse_size(value);
}

int64_t parse_time(const char *value)
{
    static const struct unit {
        const char *name;
        int64_t ns;
    } units[] = { { "ns", 1 }, { "us", 1000 }, { "ms", 1000000 }, { "s", 1000000000 } };
    int64_t n = digits(&value);

    for (size_t i = 0; n >= 0 && i < array_len(units); i++)
        if (strcmp(value, units[i].name) == 0)
            return __builtin_mul_overflow(n, units[i].ns, &n) ? -EINVAL : n;
    return -EINVAL;
}

static int64_t parse_duration(const struct env_row *row unused_arg, const char *value)
{
    return parse_time(value);
}

/* The text itself, as an address. */
static int64_t parse_path(const struct env_row *row unused_arg, const char *value)
{
    return (int64_t)(intptr_t)value;
}

static int64_t parse_bind(const struct env_row *row unused_arg, const char *value)
{
    return bind_mode_parse(value);
}

static int64_t word(const char *const *words, int n, const char *value)
{
    for (int i = 0; i < n; i++)
        if (strcmp(value, words[i]) == 0)
            return i;
    return -EINVAL;
}

static int64_t parse_io(const struct env_row *row unused_arg, const char *value)
{
    static const char *const words[] = {
        [IO_AUTO] = "auto", [IO_URING] = "uring", [IO_POSIX] = "posix",
    };

    return word(words, array_len(words), value);
}

static int64_t parse_guard(const struct env_row *row unused_arg, const char *value)
{
    static const char *const words[] = {
        [GUARD_AUTO] = "auto", [GUARD_MADVISE] = "madvise",
        [GUARD_MPROTECT] = "mprotect", [GUARD_CANARY] = "canary",
    };

    return word(words, array_len(words), value);
}

static int64_t parse_traceback(const struct env_row *row unused_arg, const char *value)
{
    static const char *const words[] = {
        [TRACEBACK_NONE] = "none", [TRACEBACK_SINGLE] = "single", [TRACEBACK_ALL] = "all",
        [TRACEBACK_SYSTEM] = "system", [TRACEBACK_CRASH] = "crash",
    };
    static const enum traceback go_numbers[] = { TRACEBACK_NONE, TRACEBACK_ALL, TRACEBACK_SYSTEM };

    if (value[0] >= '0' && value[0] < '0' + (int)array_len(go_numbers) && value[1] == '\0')
        return go_numbers[value[0] - '0'];
    return word(words, array_len(words), value);
}

/* ---- experiments ---------------------------------------------------------------------------- */

static const struct env_word experiments[] = {
    { "defer", "Completions of io_uring wait until their thread asks for them "
               "(IORING_SETUP_DEFER_TASKRUN, Linux 6.1), which saves interruptions; those of a "
               "thread that computes stay unseen until it is done.",
      EXPERIMENT_DEFER },
    { "kernel-5.15", "Of io_uring only what Linux 5.15 has is used, as if this were such a kernel. "
                     "For tests: what a newer one does better is given up.", EXPERIMENT_5_15 },
    { "kernel-6.1", "The same for Linux 6.1.", EXPERIMENT_6_1 },
    { "kernel-6.6", "The same for Linux 6.6.", EXPERIMENT_6_6 },
    { "sqpoll", "A thread of the kernel looks for what the rings of all threads have to submit "
                "(IORING_SETUP_SQPOLL), so that operations need hardly any system call. It "
                "wants a cpu: leave it one, with GOMAXPROCS one below the number of cpus.",
      EXPERIMENT_SQPOLL },
    { NULL, NULL, 0 },
};

static void complain_of_experiment(const char *name, size_t n)
{
    char known[LOG_BYTES / 2] = "";
    size_t at = 0;

    for (const struct env_word *w = experiments; w->name != NULL && at < sizeof known; w++)
        at += (size_t)snprintf(known + at, sizeof known - at, "%s%s", at > 0 ? ", " : "", w->name);
    log_line(LOG_WARNING, "QUOIT_EXPERIMENT: there is no experiment '%.*s', and it changes "
                          "nothing; there is: %s", n < 64 ? (int)n : 64, name, known);
}

unsigned parse_experiments(const char *value)
{
    unsigned found = 0;

    while (*value != '\0') {
        size_t n = strcspn(value, ",");
        const struct env_word *w = experiments;

        while (w->name != NULL && (strlen(w->name) != n || strncmp(w->name, value, n) != 0))
            w++;
        if (w->name != NULL)
            found |= w->bit;
        else if (n > 0)
            complain_of_experiment(value, n);
        value += n + (value[n] == ',');
    }
    return found;
}

static int64_t parse_words(const struct env_row *row unused_arg, const char *value)
{
    return parse_experiments(value);
}

/* ---- GODEBUG -------------------------------------------------------------------------------- */

static const struct env_word godebugs[] = {
    { "schedtrace", "schedtrace=100: each 100 milliseconds a line to standard error: threads, and "
                    "how many goroutines wait in which queue.", 0 },
    { "scheddetail", "scheddetail=1, beside schedtrace: a line each for all P's, threads and "
                     "goroutines instead.", GODEBUG_DETAIL },
    { "hogs", "hogs=1: a warning when a goroutine computes for so long, in code that cannot be "
              "interrupted, that its core goes to others; once for each place where such "
              "goroutines were made.", GODEBUG_HOGS },
    { "asyncpreemptoff", "asyncpreemptoff=1: no thread gets a signal because it computes. Who "
                         "computes gives way in code compiled to be preempted and at calls of "
                         "Quoit, or its core goes to others.", GODEBUG_ASYNC_OFF },
    { NULL, NULL, 0 },
};

/* name=value at `at`, n letters; as Go reads it the last one of a name counts. */
static int64_t take_godebug(int64_t so_far, const char *at, size_t n)
{
    const char *equals = memchr(at, '=', n), *value = equals + 1, *end = value;
    int64_t number;

    if (equals == NULL)
        return so_far;
    for (const struct env_word *w = godebugs; w->name != NULL; w++) {
        size_t len = strlen(w->name);

        if (len != (size_t)(equals - at) || strncmp(w->name, at, len) != 0)
            continue;
        number = digits(&end);
        if (number < 0 || number > INT32_MAX || end != at + n)
            log_line(LOG_WARNING, "GODEBUG: %.*s is not a number from 0 to 2147483647: ignored",
                     n < 64 ? (int)n : 64, at);
        else if (w->bit == 0)
            return (so_far & ~(int64_t)INT32_MAX) | number;
        else if (number > 0)
            return so_far | (int64_t)w->bit << 32;
        else
            return so_far & ~((int64_t)w->bit << 32);
    }
    return so_far;
}

/* Go's programs read the variable too: names that are not ours are theirs, and no mistake. */
static int64_t parse_godebug(const struct env_row *row unused_arg, const char *value)
{
    int64_t found = 0;

    while (*value != '\0') {
        size_t n = strcspn(value, ",");

        found = take_godebug(found, value, n);
        value += n + (value[n] == ',');
    }
    return found;
}

/* ---- the table ------------------------------------------------------------------------------ */

static const struct env_row table[] = {
    { .name = "GODEBUG", FIELD(godebug), .parse = parse_godebug, .max = INT64_MAX,
      .values = "name=number from the list below, with commas between",
      .fallback = "none",
      .text = "What is printed while the program runs. Names that are not listed are Go's own, and "
              "change nothing here. Of one that comes twice the last counts.",
      .words = godebugs },
    { .name = "GOMAXPROCS", FIELD(procs), .parse = parse_number, .min = 1, .max = PROCS_MAX,
      .values = "1 to " TEXT(PROCS_MAX),
      .fallback = "as many as the cpus this process may use",
      .text = "How many goroutines run at once. The cpus this process may use are those of "
              "its affinity mask and cpuset, or fewer when a cgroup's cpu.max gives it less "
              "time than that, a fraction rounded up; when these change, so does the number, "
              "within a second or so. More than the machine has is allowed." },
    { .name = "GOTRACEBACK", FIELD(traceback), .parse = parse_traceback, .max = TRACEBACK_CRASH,
      .values = "none, single, all, system, crash, or Go's 0 (none), 1 (all), 2 (system)",
      .fallback = "single for a fatal error, all for SIGQUIT",
      .text = "What a fatal error and SIGQUIT print besides their message. none: nothing; single: "
              "the stack of who failed, or of what the signal came upon; all: that, and every "
              "other goroutine; system: that, with the library's own goroutines and frames; "
              "crash: as system, and then the process aborts, so that a core is left." },
    { .name = "QUOIT_BIND", FIELD(bind), .parse = parse_bind, .max = BIND_NONE,
      .values = "auto, core, pu, node, none",
      .fallback = "auto",
      .text = "What a thread that runs goroutines is bound to: a core, one hardware thread of "
              "it, the cpus of a NUMA node, or nothing. auto is core when every allowed cpu "
              "is in use and no quota is tighter, else node." },
    { .name = "QUOIT_CPUPROFILE", FIELD(cpuprofile), .parse = parse_path, .max = INT64_MAX,
      .values = "the path of a file",
      .fallback = "none is taken",
      .text = "Where a profile of the whole run is written when Quoit ends: which functions of "
              "which goroutines used the cpu, sampled 100 times in each second of cpu time, in the "
              "format that pprof reads. What was in the file is lost." },
    { .name = "QUOIT_EXPERIMENT", FIELD(experiments), .parse = parse_words, .max = INT32_MAX,
      .values = "names from the list below, with commas between",
      .fallback = "none",
      .text = "Tries what is not the default: it may become that, or go away without notice. A "
              "name that is not known is a warning, and the other names hold.",
      .words = experiments },
    { .name = "QUOIT_GUARD", FIELD(guard), .parse = parse_guard, .max = GUARD_CANARY,
      .values = "auto, madvise, mprotect, canary",
      .fallback = "auto",
      .text = "How the end of a stack is kept: by guard pages that cost no mapping (Linux "
              "6.13), by guard pages that cost two mappings each, or by words that are "
              "looked at when the goroutine has ended. auto is the first of these that the "
              "kernel has; mprotect goes on with canary at a quarter of vm.max_map_count." },
    { .name = "QUOIT_HELPERS", FIELD(helpers), .parse = parse_number, .min = 1, .max = HELPERS_MAX,
      .values = "1 to " TEXT(HELPERS_MAX),
      .fallback = "as many as the library chooses",
      .text = "Most threads that do blocking file operations where io_uring is not used." },
    { .name = "QUOIT_IO", FIELD(io), .parse = parse_io, .max = IO_POSIX,
      .values = "auto, uring, posix",
      .fallback = "auto",
      .text = "How files are read and written: by io_uring, or by plain calls in helper "
              "threads. auto is io_uring where the kernel allows it." },
    { .name = "QUOIT_MAXBLOCKED", FIELD(max_blocked), .parse = parse_number,
      .min = 1, .max = MAXBLOCKED_MAX,
      .values = "1 to " TEXT(MAXBLOCKED_MAX),
      .fallback = TEXT(MAXBLOCKED_DEFAULT),
      .text = "How many calls of quoit_block are made at once, each by a thread of its own, and "
              "how many other calls may stand while their core goes to others. Beyond that "
              "calls wait their turn, or keep their core." },
    { .name = "QUOIT_MAXHOGS", FIELD(max_hogs), .parse = parse_number,
      .min = 1, .max = THREADS_MAX,
      .values = "1 to " TEXT(THREADS_MAX),
      .fallback = TEXT(MAXHOGS_DEFAULT),
      .text = "How many goroutines that compute without giving way may go on beside the others, "
              "as plain threads, while their cores run something else. One more keeps its core, "
              "and a warning names it." },
    { .name = "QUOIT_MAXTHREADS", FIELD(max_threads), .parse = parse_number,
      .min = 1, .max = THREADS_MAX,
      .values = "1 to " TEXT(THREADS_MAX),
      .fallback = TEXT(THREADS_DEFAULT),
      .text = "Most kernel threads. Needing more is a fatal error." },
    { .name = "QUOIT_QUANTUM", FIELD(quantum), .parse = parse_duration,
      .min = QUANTUM_MIN, .max = QUANTUM_MAX,
      .values = "100us to 1s",
      .fallback = "10ms",
      .text = "How long a goroutine may compute while others wait for its core, with us, ms or s "
              "behind the number: then it is to give way, and after twice that time others have "
              "the core in any case." },
    { .name = "QUOIT_STACK", FIELD(stack_size), .parse = parse_bytes,
      .min = STACK_MIN, .max = STACK_MAX,
      .values = "16K to 1G",
      .fallback = "64K",
      .text = "The size of a goroutine's stack, in bytes or with one of K, M, G behind the "
              "number; rounded up to a power of two. Memory is taken as it is touched." },
    { .name = "QUOIT_STACKLIMIT", FIELD(stack_limit), .parse = parse_bytes, .max = LIMIT_MAX,
      .values = "0 (no limit) to 128T",
      .fallback = "no limit",
      .text = "The most bytes over all stacks, in bytes or with one of K, M, G, T behind the "
              "number. A goroutine that finds no stack waits for another one to end. Fewer than "
              "two stacks of the default size let nothing run: then it is as many." },
};

int env_rows(const struct env_row **rows)
{
    *rows = table;
    return (int)array_len(table);
}

/* ---- complaints ----------------------------------------------------------------------------- */

/* Unchanged by the options: then the table's words say what is used. */
static bool is_default(const struct env_row *row)
{
    return memcmp((char *)&env + row->at, (const char *)&defaults + row->at, row->bytes) == 0;
}

/* What stands before the values of a row in a sentence. */
static const char *kind(const struct env_row *row)
{
    if (row->parse == parse_number)
        return "a number from";
    if (row->parse == parse_duration)
        return "a time from";
    return row->parse == parse_bytes ? "a size from" : "one of";
}

static void complain(const struct env_row *row, const char *value)
{
    log_line(LOG_WARNING, "%s=%.64s is not %s %s: using %s", row->name, value, kind(row),
             row->values, is_default(row) ? row->fallback : "what the program asks for");
}

/* ---- at start ------------------------------------------------------------------------------- */

static void store(const struct env_row *row, int64_t value)
{
    int32_t small = (int32_t)value;

    if (row->bytes == sizeof small)
        memcpy((char *)&env + row->at, &small, sizeof small);
    else
        memcpy((char *)&env + row->at, &value, sizeof value);
}

static void load_environment(void)
{
    for (size_t i = 0; i < array_len(table); i++) {
        const struct env_row *row = &table[i];
        const char *value = getenv(row->name);
        int64_t parsed;

        /* Set to nothing is not set, as for Go. */
        if (value == NULL || *value == '\0')
            continue;
        parsed = row->parse(row, value);
        if (parsed < row->min || parsed > row->max)
            complain(row, value);
        else
            store(row, parsed);
    }
    env_names_look();
}

static int load_options(const struct quoit_options *o)
{
    const unsigned known = QUOIT_NO_ENV | QUOIT_NO_SIGNALS | QUOIT_NO_BIND |
                           QUOIT_DEADLOCK_WARN;

    /* There has been one size only so far. */
    if (o->size != sizeof *o || (o->flags & ~known) != 0)
        return -EINVAL;
    if (o->procs < 0 || o->procs > PROCS_MAX || o->max_threads < 0 || o->max_threads > THREADS_MAX)
        return -EINVAL;
    if (o->stack_size > (size_t)STACK_MAX || o->stack_limit > (size_t)LIMIT_MAX)
        return -EINVAL;
    env.procs = o->procs;
    if (o->max_threads != 0)
        env.max_threads = o->max_threads;
    env.stack_size = o->stack_size;
    env.stack_limit = o->stack_limit;
    if (o->flags & QUOIT_NO_BIND)
        env.bind = BIND_NONE;
    env.flags = o->flags;
    env.log = o->log;
    env.log_arg = o->log_arg;
    return 0;
}

/* One stack for the first goroutine and one for what it waits for. */
static bool limit_is_too_low(size_t *least)
{
    *least = 2 * stack_class_bytes(STACK_CLASS_64K);
    for (int class = 0; env.stack_size != 0 && class < STACK_CLASSES; class++) {
        *least = 2 * stack_class_bytes(class);
        if (env.stack_size <= stack_class_bytes(class))
            break;
    }
    return env.stack_limit != 0 && env.stack_limit < *least;
}

int env_load(const struct quoit_options *options)
{
    size_t least;
    int e = 0;

    env = defaults;
    if (options != NULL)
        e = load_options(options);
    if (e == 0 && limit_is_too_low(&least))
        e = -EINVAL;
    if (e == 0 && !(env.flags & QUOIT_NO_ENV) && getauxval(AT_SECURE) == 0)
        load_environment();
    if (e == 0 && limit_is_too_low(&least)) {
        log_line(LOG_WARNING,
                 "QUOIT_STACKLIMIT=%zu is less than two stacks, so nothing could run: using %zu; "
                 "stacks are smaller with QUOIT_STACK",
                 env.stack_limit, least);
        env.stack_limit = least;
    }
    return e;
}
