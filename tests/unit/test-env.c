/* SPDX-License-Identifier: BSD-3-Clause
 * test-env.c - what the environment and options ask for, and what is said of what cannot be
 *
 */
#include "env.h"

#include "tap.h"
#include "throw.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char said[4096];
static int lines, worst;

static void listen(int level, const char *line, void *arg)
{
    size_t n = strlen(said);

    (void)arg;
    lines++;
    worst = level;
    snprintf(said + n, sizeof said - n, "%s\n", line);
}

static struct quoit_options options(void)
{
    return (struct quoit_options){ .size = sizeof(struct quoit_options), .log = listen };
}

/* One variable, the others unset. */
static int load_with(const char *name, const char *value)
{
    struct quoit_options o = options();
    int e;

    said[0] = '\0';
    lines = 0;
    setenv(name, value, 1);
    e = env_load(&o);
    unsetenv(name);
    return e;
}

static bool heard(const char *what)
{
    bool did = strstr(said, what) != NULL;

    if (!did)
        diag("not said: %s; but: %s", what, said);
    return did;
}

/* What the one who runs the tests has set would be complained of too. */
static void forget_ours(void)
{
    for (char **e = environ; *e != NULL;) {
        char name[128];
        size_t n = strcspn(*e, "=");

        if (strncmp(*e, "QUOIT_", 6) != 0 || n >= sizeof name) {
            e++;
            continue;
        }
        memcpy(name, *e, n);
        name[n] = '\0';
        unsetenv(name);
        e = environ;
    }
}

static void takes_what_can_be(void)
{
    load_with("GOMAXPROCS", "3");
    is_int(env.procs, 3, "GOMAXPROCS");
    load_with("GOMAXPROCS", "1024");
    is_int(env.procs, PROCS_MAX, "more than the machine has, up to the bound");
    load_with("QUOIT_STACK", "16K");
    is_int(env.stack_size, 16384, "the smallest stack");
    load_with("QUOIT_STACK", "1g");
    is_int(env.stack_size, 1 << 30, "the largest stack, small letter");
    load_with("QUOIT_STACK", "65536");
    is_int(env.stack_size, 65536, "a size without a letter");
    load_with("QUOIT_STACKLIMIT", "3T");
    is_int(env.stack_limit, INT64_C(3) << 40, "a limit over all stacks");
    load_with("QUOIT_BIND", "node");
    is_int(env.bind, BIND_NODE, "QUOIT_BIND");
    load_with("QUOIT_IO", "posix");
    is_int(env.io, IO_POSIX, "QUOIT_IO");
    load_with("QUOIT_GUARD", "canary");
    is_int(env.guard, GUARD_CANARY, "QUOIT_GUARD");
    load_with("QUOIT_HELPERS", "7");
    is_int(env.helpers, 7, "QUOIT_HELPERS");
    load_with("QUOIT_MAXHOGS", "3");
    is_int(env.max_hogs, 3, "QUOIT_MAXHOGS");
    load_with("QUOIT_QUANTUM", "250us");
    is_int(env.quantum, 250000, "QUOIT_QUANTUM in microseconds");
    load_with("QUOIT_QUANTUM", "1s");
    is_int(env.quantum, 1000000000, "and in seconds");
    load_with("QUOIT_MAXTHREADS", "50");
    is_int(env.max_threads, 50, "QUOIT_MAXTHREADS");
    load_with("GOTRACEBACK", "crash");
    is_int(env.traceback, TRACEBACK_CRASH, "GOTRACEBACK");
    load_with("GOTRACEBACK", "1");
    is_int(env.traceback, TRACEBACK_ALL, "GOTRACEBACK by Go's number");
    load_with("GOMAXPROCS", "");
    is_int(env.procs, 0, "set to nothing is not set");
    is_int(lines, 0, "and none of these is complained of");
}

static void complains(void)
{
    static const char *const wrong[][2] = {
        { "GOMAXPROCS", "0" },       { "GOMAXPROCS", "abc" },     { "GOMAXPROCS", "99999999" },
        { "GOMAXPROCS", "-1" },      { "GOMAXPROCS", "4 " },      { "GOMAXPROCS", "1025" },
        { "GOMAXPROCS", "99999999999999999999" },                 { "QUOIT_STACK", "15K" },
        { "QUOIT_STACK", "2G" },     { "QUOIT_STACK", "64KB" },   { "QUOIT_STACK", "K" },
        { "QUOIT_STACK", "18446744073709551615G" },               { "QUOIT_STACKLIMIT", "129T" },
        { "QUOIT_BIND", "cores" },   { "QUOIT_IO", "aio" },       { "QUOIT_GUARD", "on" },
        { "QUOIT_QUANTUM", "10" },   { "QUOIT_QUANTUM", "99us" }, { "QUOIT_QUANTUM", "2s" },
        { "QUOIT_QUANTUM", "ms" },   { "QUOIT_MAXHOGS", "0" },
        { "QUOIT_HELPERS", "0" },    { "QUOIT_MAXTHREADS", "0" }, { "GOTRACEBACK", "3" },
    };
    const struct env_row *rows;
    int n = env_rows(&rows);

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char text[128];

        is_int(load_with(wrong[i][0], wrong[i][1]), 0, "%s=%s starts all the same", wrong[i][0],
               wrong[i][1]);
        is_int(lines, 1, "with one line");
        is_int(worst, LOG_WARNING, "that is a warning");
        snprintf(text, sizeof text, "%s=%s ", wrong[i][0], wrong[i][1]);
        ok(heard(text), "and has name and value");
        for (int k = 0; k < n; k++)
            if (strcmp(rows[k].name, wrong[i][0]) == 0) {
                snprintf(text, sizeof text, " %s: using %s\n", rows[k].values, rows[k].fallback);
                ok(heard(text), "what is allowed, and what is used instead");
            }
        is_int(env.procs + (int)env.stack_size + env.helpers, 0, "and changes nothing");
        is_int(env.max_threads, THREADS_DEFAULT, "nor the number of threads");
    }
}

static void complains_in_sentences(void)
{
    load_with("GOMAXPROCS", "abc");
    ok(heard("GOMAXPROCS=abc is not a number from 1 to 1024: using as many as the cpus this "
             "process may use\n"), "a number");
    load_with("QUOIT_STACK", "2G");
    ok(heard("QUOIT_STACK=2G is not a size from 16K to 1G: using 64K\n"), "a size");
    load_with("QUOIT_BIND", "cores");
    ok(heard("QUOIT_BIND=cores is not one of auto, core, pu, node, none: using auto\n"), "a word");
}

static void lets_something_run(void)
{
    struct quoit_options o = options();

    load_with("QUOIT_STACKLIMIT", "127K");
    is_int(env.stack_limit, 128 << 10, "a limit below two stacks is two stacks");
    is_int(lines, 1, "with one line");
    ok(heard("QUOIT_STACKLIMIT=130048 is less than two stacks") && heard("using 131072"),
       "that says so");
    load_with("QUOIT_STACKLIMIT", "128K");
    is_int(lines, 0, "two stacks are enough");
    o.stack_limit = 4 << 20;
    setenv("QUOIT_STACK", "3M", 1);
    said[0] = '\0';
    is_int(env_load(&o), 0, "larger stacks than the program's limit was made for");
    is_int(env.stack_limit, 8 << 20, "raise it");
    ok(heard("is less than two stacks"), "which is said");
    setenv("QUOIT_STACK", "16K", 1);
    o.stack_limit = 100 << 10;
    is_int(env_load(&o), -EINVAL, "what the program asks for is refused");
    unsetenv("QUOIT_STACK");
    o.stack_size = 16 << 10;
    is_int(env_load(&o), 0, "unless its stacks are small enough");
    is_int(env.stack_limit, 100 << 10, "and then holds");
}

static void knows_slips_of_the_pen(void)
{
    load_with("QUOIT_STAK", "1M");
    is_int(lines, 1, "an unknown name is one line");
    ok(heard("QUOIT_STAK is not known"), "that has the name");
    ok(heard("is QUOIT_STACK meant?"), "and the nearest one that is known");
    load_with("QUOIT_MAX_THREADS", "1");
    ok(heard("is QUOIT_MAXTHREADS meant?"), "an underline too many");
    load_with("QUOIT_THREADS", "1");
    ok(heard("is QUOIT_MAXTHREADS meant?"), "the beginning of a word left out");
    load_with("QUOIT_FOO", "1");
    ok(heard("QUOIT_FOO is not known") && strstr(said, "meant?") == NULL,
       "what is like none of them brings no guess");
    ok(heard("quoit-env(7)"), "but where they are listed");
    load_with("QUOIT_TRACE", "1");
    ok(strstr(said, "meant?") == NULL, "a few letters in common are not enough");
    load_with("QUOIT_", "1");
    is_int(lines, 1, "the shortest of all");
    load_with("QUOIT_A_NAME_THAT_IS_LONGER_THAN_ANY_NAME_THAT_CAN_BE_COMPARED_WITH", "1");
    is_int(lines, 1, "a very long one");
    load_with("QUOIT_STRESS_SECONDS", "1");
    is_int(lines, 0, "the names of test programs are left alone");
}

static void experiments_are_a_closed_list(void)
{
    load_with("QUOIT_EXPERIMENT", "defer");
    ok(experiment(EXPERIMENT_DEFER), "an experiment is on");
    is_int(lines, 0, "without a word");
    load_with("QUOIT_EXPERIMENT", ",defer,,defer,");
    ok(experiment(EXPERIMENT_DEFER), "once more is once, and nothing between commas is nothing");
    is_int(lines, 0, "which is not complained of");
    load_with("QUOIT_EXPERIMENT", "warp");
    is_int(env.experiments, 0, "a name that there is none of changes nothing");
    is_int(lines, 1, "but is one line");
    is_int(worst, LOG_WARNING, "that is a warning");
    ok(heard("no experiment 'warp'"), "with the name");
    ok(heard("there is: defer"), "and all that there are");
    load_with("QUOIT_EXPERIMENT", "def,defer,deferred");
    ok(experiment(EXPERIMENT_DEFER), "the names beside it hold");
    is_int(lines, 2, "each unknown one is a line");
    ok(heard("'def'") && heard("'deferred'"), "with its own name");
    load_with("QUOIT_EXPERIMENT", "");
    is_int(env.experiments, 0, "none by default");
}

static void options_count(void)
{
    struct quoit_options o = options();

    o.procs = 2;
    o.max_threads = 99;
    o.stack_size = 1 << 20;
    o.stack_limit = 1 << 30;
    o.flags = QUOIT_NO_BIND;
    is_int(env_load(&o), 0, "options are taken");
    is_int(env.procs, 2, "procs");
    is_int(env.max_threads, 99, "max_threads");
    is_int(env.stack_size, 1 << 20, "stack_size");
    is_int(env.stack_limit, 1 << 30, "stack_limit");
    is_int(env.bind, BIND_NONE, "QUOIT_NO_BIND");
    setenv("GOMAXPROCS", "5", 1);
    env_load(&o);
    is_int(env.procs, 5, "the environment beats the program");
    o.flags = QUOIT_NO_ENV;
    env_load(&o);
    is_int(env.procs, 2, "unless the program forbids it");
    setenv("GOMAXPROCS", "many", 1);
    o.flags = 0;
    said[0] = '\0';
    env_load(&o);
    is_int(env.procs, 2, "a wrong value leaves what the program asked for");
    ok(heard("using what the program asks for"), "and says so");
    unsetenv("GOMAXPROCS");
    is_int(env_load(NULL), 0, "no options");
    is_int(env.procs, 0, "and nothing is left of the last ones");
    is_int(env.max_threads, THREADS_DEFAULT, "but the defaults");
    is_int(env.traceback, TRACEBACK_UNSET, "of each field");
}

static void wrong_options_are_refused(void)
{
    struct quoit_options o = options();

    o.size = sizeof o - 8;
    is_int(env_load(&o), -EINVAL, "a size that never was");
    o = options();
    o.flags = 1u << 31;
    is_int(env_load(&o), -EINVAL, "a flag that is not known");
    o = options();
    o.procs = -1;
    is_int(env_load(&o), -EINVAL, "procs below zero");
    o.procs = PROCS_MAX + 1;
    is_int(env_load(&o), -EINVAL, "procs beyond the bound");
    o = options();
    o.max_threads = -1;
    is_int(env_load(&o), -EINVAL, "max_threads below zero");
    o = options();
    o.stack_size = ((size_t)1 << 30) + 1;
    is_int(env_load(&o), -EINVAL, "a stack that there is no class for");
    o = options();
    o.stack_limit = SIZE_MAX;
    is_int(env_load(&o), -EINVAL, "a limit beyond the address space");
}

int main(void)
{
    forget_ours();
    takes_what_can_be();
    complains();
    complains_in_sentences();
    lets_something_run();
    knows_slips_of_the_pen();
    experiments_are_a_closed_list();
    options_count();
    wrong_options_are_refused();
    return done_testing();
}
