/* SPDX-License-Identifier: BSD-3-Clause
 * stress-storm.c - everything at once
 *
 * Goroutines and plain threads roll dice for what they do next (storm-acts.c). Each kind of event
 * is counted, and has to have come about often enough; what was spawned has to end, what was sent
 * to arrive, no thread and no descriptor to be left. When nothing moves for PATIENCE seconds there
 * is a dump, and the seed again. QUOIT_STRESS_STORM says how long it goes on, else
 * QUOIT_STRESS_SECONDS.
 */
#include "storm.h"

#include "compiler.h"

#include "quoit_io.h"

#include "tap.h"
#include "world.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { ACTORS = 32, THREADS = 3, VISITS = 200, PATIENCE = 30, DUMP_SECONDS = 20 };
enum { LOOK_NS = 10000000 };

struct storm storm;

static uint64_t seed;
static int64_t until;

/* What it is called, and how often it has to come about in the shortest of runs. */
static const struct {
    const char *name;
    uint64_t least;
} events[EVENTS] = {
    [SPAWN] = { "spawned", 50 },
    [SPAWN_COPY] = { "spawned with a copy", 50 },
    [SPAWN_ATTR] = { "spawned with attributes", 20 },
    [JOIN] = { "joined at once", 50 },
    [JOIN_MANY] = { "joined some", 20 },
    [JOIN_UNTIL] = { "joined by a deadline", 10 },
    [JOIN_LATE] = { "not joined by a deadline", 1 },
    [PARK] = { "parked", 50 },
    [PARK_UNTIL] = { "woken before a deadline", 1 },
    [PARK_LATE] = { "not woken before a deadline", 1 },
    [READY] = { "made ready", 50 },
    [SEND] = { "posted", 50 },
    [RECEIVE] = { "got a post", 50 },
    [RECEIVE_LATE] = { "got no post", 1 },
    [MUTEX] = { "held the mutex", 50 },
    [WAIT_GROUP] = { "waited for a group", 10 },
    [SLEEP] = { "slept", 20 },
    [YIELD] = { "yielded", 50 },
    [COMPUTE] = { "computed", 50 },
    [PIPE_WRITE] = { "wrote to a pipe", 50 },
    [PIPE_READ] = { "read from a pipe", 50 },
    [FILE_IO] = { "wrote to and read from the file", 20 },
    [LOCKED] = { "locked to a thread", 10 },
    [LOCKED_END] = { "ended locked to a thread", 10 },
    [MARKED] = { "in a marked call", 10 },
    [UNMARKED] = { "in a call without a mark", 1 },
    [BLOCK] = { "in quoit_block", 10 },
    [PIN] = { "pinned", 20 },
    [RESIZE] = { "more or fewer P's", 1 },
    [STOP] = { "stopped the world", 5 },
    [STOP_LATE] = { "did not stop it by a deadline", 0 },
    [STOP_OUTSIDE] = { "stopped it from a plain thread", 1 },
    [PARALLEL] = { "a parallel phase", 1 },
    [FORK] = { "forked", 1 },
    [PROCESS] = { "started a program", 1 },
    [DUMP] = { "a dump", 1 },
    [QUIESCE] = { "visited every goroutine", 1 },
    [SYNCHRONIZE] = { "waited for a grace period", 1 },
    [DEFER] = { "deferred a free", 20 },
    [LOOK] = { "looked at what others replace", 20 },
    [VISIT] = { "did something in a plain thread", 50 },
    [VISITOR] = { "a plain thread came and went", 1 },
};

/* ---- who takes part ------------------------------------------------------------------------- */

static struct actor actor_of(int i)
{
    return (struct actor){ seed + (uint64_t)i * 1000003, i };
}

/* Each begins with another thing, so that none is left to chance. */
static int acts(void *arg)
{
    struct actor a = actor_of((int)(intptr_t)arg);

    if (a.i < storm_acts())
        storm_act_nth(&a, a.i);
    while (!is_over())
        storm_act(&a);
    quoit_wg_done(&storm.children);
    return 0;
}

static void *visitor(void *arg)
{
    struct actor *a = arg;

    for (int i = 0; i < VISITS && !is_over(); i++)
        storm_visit(a);
    return NULL;
}

/* One short-lived thread after the other. */
static void *host(void *arg)
{
    struct actor a = actor_of(ACTORS + (int)(intptr_t)arg);

    while (!is_over()) {
        pthread_t thread;

        if (pthread_create(&thread, NULL, visitor, &a) != 0)
            bail("pthread_create");
        pthread_join(thread, NULL);
        happened(VISITOR);
    }
    return NULL;
}

static int reads_pipe(void *arg)
{
    int fd = storm.pipe[(intptr_t)arg][0];
    uint64_t number;
    ssize_t n;

    while ((n = quoit_read(fd, &number, sizeof number)) == sizeof number) {
        __atomic_add_fetch(&storm.read, number, __ATOMIC_RELAXED);
        happened(PIPE_READ);
    }
    if (n != 0)
        bail("quoit_read: %zd", n);
    return 0;
}

/* Those that parked last have nobody left to wake them. */
static int rouses(void *arg)
{
    while (!__atomic_load_n((bool *)arg, __ATOMIC_ACQUIRE)) {
        wake_all();
        quoit_sleep(200000);
    }
    return 0;
}

/* ---- the watchdog --------------------------------------------------------------------------- */

static uint64_t all_events(void)
{
    uint64_t n = 0;

    for (int i = 0; i < EVENTS; i++)
        n += __atomic_load_n(&storm.count[i], __ATOMIC_RELAXED);
    return n;
}

static noreturn_fn void hangs(void)
{
    diag("nothing has moved for %d s; QUOIT_STRESS_SEED=%llu", PATIENCE, (unsigned long long)seed);
    for (int i = 0; i < EVENTS; i++)
        diag("%8llu %s", (unsigned long long)storm.count[i], events[i].name);
    /* What hangs may hold what a dump wants. */
    alarm(DUMP_SECONDS);
    quoit_dump(STDERR_FILENO);
    abort();
}

static void *watches(void *arg)
{
    uint64_t seen = 0;
    int64_t moved = world_now();

    while (!__atomic_load_n((bool *)arg, __ATOMIC_ACQUIRE)) {
        if (all_events() != seen) {
            seen = all_events();
            moved = world_now();
        } else if (world_now() - moved > PATIENCE * INT64_C(1000000000)) {
            hangs();
        }
        usleep(10000);
    }
    return NULL;
}

/* ---- the storm ------------------------------------------------------------------------------ */

static void open_all(void)
{
    for (int i = 0; i < PIPES; i++)
        if (pipe2(storm.pipe[i], O_CLOEXEC) != 0)
            bail("pipe2");
    storm.file = memfd_create("storm", MFD_CLOEXEC);
    storm.null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (storm.file < 0 || storm.null < 0)
        bail("no file: %s", strerror(errno));
}

static void close_all(void)
{
    for (int i = 0; i < PIPES; i++)
        close(storm.pipe[i][0]);
    close(storm.file);
    close(storm.null);
}

static void start_readers(struct quoit_g **reader)
{
    for (int i = 0; i < PIPES; i++)
        reader[i] = world_go_apart(reads_pipe, (void *)(intptr_t)i);
}

/* The last number goes through the pipe before its end. */
static void end_readers(struct quoit_g **reader)
{
    for (int i = 0; i < PIPES; i++)
        close(storm.pipe[i][1]);
    for (int i = 0; i < PIPES; i++)
        world_join(reader[i]);
}

/* A machine with much else to do takes longer to see each kind of event. */
static bool enough_has_come(void)
{
    for (int i = 0; i < EVENTS; i++)
        if (__atomic_load_n(&storm.count[i], __ATOMIC_RELAXED) < events[i].least)
            return false;
    return true;
}

static void show_turns(void)
{
    struct quoit_stats st = { .size = sizeof st };

    quoit_stats(&st);
    diag("turns over: %llu at a call, %llu in a loop, %llu by force; %llu signals",
         (unsigned long long)st.preempts[0], (unsigned long long)st.preempts[1],
         (unsigned long long)st.preempts[2], (unsigned long long)st.signals);
}

static int rages(void *arg unused_arg)
{
    struct quoit_g *reader[PIPES], *rouser;
    pthread_t thread[THREADS];
    bool calm = false;

    storm.home = world_procs();
    start_readers(reader);
    rouser = world_go_apart(rouses, &calm);
    quoit_wg_add(&storm.children, ACTORS);
    for (intptr_t i = 0; i < ACTORS; i++)
        world_spawn(acts, (void *)i);
    for (intptr_t i = 0; i < THREADS; i++)
        if (pthread_create(&thread[i], NULL, host, (void *)i) != 0)
            bail("pthread_create");
    quoit_sleep(until - world_now());
    while (!enough_has_come() && world_now() < until + 3 * PATIENCE * INT64_C(1000000000))
        quoit_sleep(LOOK_NS);
    __atomic_store_n(&storm.over, 1, __ATOMIC_RELAXED);
    for (int i = 0; i < THREADS; i++) {
        quoit_syscall_enter();
        pthread_join(thread[i], NULL);
        quoit_syscall_exit();
    }
    quoit_wg_wait(&storm.children);
    end_readers(reader);
    __atomic_store_n(&calm, true, __ATOMIC_RELEASE);
    world_join(rouser);
    while (receive(0))
        ;
    while (quoit_num_goroutine() > 1)
        quoit_yield();
    show_turns();
    return 7;
}

static int entries(const char *path)
{
    DIR *dir = opendir(path);
    int n = 0;

    if (dir == NULL)
        bail("%s: %s", path, strerror(errno));
    while (readdir(dir) != NULL)
        n++;
    closedir(dir);
    return n;
}

static int64_t end_of_storm(void)
{
    const char *seconds = getenv("QUOIT_STRESS_STORM");

    return seconds != NULL ? world_now() + atoi(seconds) * INT64_C(1000000000) : world_until();
}

static int nothing(void *arg unused_arg)
{
    return 0;
}

/* A thread that has been joined may be listed for a moment. */
static void until_threads(int n)
{
    int64_t end = world_now() + PATIENCE * INT64_C(1000000000);

    while (entries("/proc/self/task") > n && world_now() < end)
        usleep(1000);
}

static void show_events(void)
{
    for (int i = 0; i < EVENTS; i++) {
        diag("%8llu %s", (unsigned long long)storm.count[i], events[i].name);
        if (storm.count[i] < events[i].least)
            ok(false, "%s: %llu at least", events[i].name, (unsigned long long)events[i].least);
    }
}

static void show_sums(void)
{
    uint64_t pins = 0;

    for (int i = 0; i < PROCS_MOST; i++)
        pins += storm.per_p[i];
    is_int(storm.ended, storm.spawned, "every child ended once, with what it was given");
    is_int(storm.received, storm.sent, "every post arrived");
    is_int(storm.read, storm.written, "every number came through its pipe");
    is_int(storm.mutex_plain, storm.under_mutex, "one at a time under the mutex");
    is_int(pins, storm.pins, "one at a time pinned to a P");
    is_int(storm.freed + (storm.thing != NULL), storm.made, "each thing but the last is freed");
}

int main(void)
{
    bool over = false;
    pthread_t watchdog;
    int files, threads;

    seed = world_seed();
    /* What is loaded at the first start stays. */
    if (world_run(0, nothing, NULL) != 0)
        bail("quoit_main");
    files = entries("/proc/self/fd");
    threads = entries("/proc/self/task");
    if (pthread_create(&watchdog, NULL, watches, &over) != 0)
        bail("pthread_create");
    open_all();
    until = end_of_storm();
    is_int(world_run(0, rages, NULL), 7, "quoit_main");
    close_all();
    __atomic_store_n(&over, true, __ATOMIC_RELEASE);
    pthread_join(watchdog, NULL);
    show_events();
    show_sums();
    until_threads(threads);
    is_int(entries("/proc/self/task"), threads, "no thread is left");
    is_int(entries("/proc/self/fd"), files, "no descriptor is left");
    return done_testing();
}
