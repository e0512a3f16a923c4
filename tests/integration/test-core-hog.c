/* SPDX-License-Identifier: BSD-3-Clause
 * test-core-hog.c - goroutines that never give way do not keep their cores
 *
 * More of them than there are P's run foreign code of every kind until the first goroutine has
 * slept and woken some times: a P that is not taken from one is a test that hangs.
 */
#include "quoit.h"
#include "quoit_numa.h"

#include "tap.h"
#include "world.h"

#include <dlfcn.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { WAKES = 5, SHORT_NS = 1000000, HOGS_MOST = 64, BYTES = 4 << 20 };

static int stop, started;
static char *from;

static bool is_set(int *what)
{
    return __atomic_load_n(what, __ATOMIC_SEQ_CST) != 0;
}

static void set(int *what, int value)
{
    __atomic_store_n(what, value, __ATOMIC_SEQ_CST);
}

static struct quoit_stats stats(void)
{
    struct quoit_stats st = { .size = sizeof st };

    quoit_stats(&st);
    return st;
}

/* ---- what they do --------------------------------------------------------------------------- */

static void loops(void)
{
    while (!is_set(&stop))
        ;
}

static __attribute__((noinline)) unsigned mixes(unsigned x)
{
    __asm__ volatile("");
    return x * 2654435769u + 1;
}

static void calls(void)
{
    unsigned x = 1;

    while (!is_set(&stop))
        x = mixes(x);
}

static int compares(const void *a, const void *b)
{
    while (!is_set(&stop))
        ;
    return *(const int *)a - *(const int *)b;
}

static void sorts(void)
{
    int numbers[] = { 3, 1, 2 };

    qsort(numbers, 3, sizeof *numbers, compares);
}

static void copies(void)
{
    char *to = malloc(BYTES);

    if (to == NULL)
        bail("no memory");
    while (!is_set(&stop)) {
        memcpy(to, from, BYTES);
        __asm__ volatile("" : : "r"(to) : "memory");
    }
    free(to);
}

static void allocates(void)
{
    void *kept[16] = { NULL };

    for (unsigned i = 0; !is_set(&stop); i++) {
        free(kept[i % 16]);
        kept[i % 16] = malloc(i % 5000 + 1);
    }
    for (int i = 0; i < 16; i++)
        free(kept[i]);
}

static void prints(void)
{
    FILE *f = fopen("/dev/null", "w");

    while (f != NULL && !is_set(&stop))
        fprintf(f, "%d %s %g\n", 1, "two", 3.0);
    if (f != NULL)
        fclose(f);
}

static void loads(void)
{
    while (!is_set(&stop)) {
        void *lib = dlopen("libm.so.6", RTLD_NOW);

        if (lib != NULL)
            dlclose(lib);
    }
}

static void holds_mutex(void)
{
    pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;

    pthread_mutex_lock(&m);
    loops();
    pthread_mutex_unlock(&m);
}

static void masks(void)
{
    sigset_t all, before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    loops();
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static void sleeps(void)
{
    struct timespec t = { 0, 200 * SHORT_NS };

    while (!is_set(&stop))
        nanosleep(&t, NULL);
}

static int fds[2];

static void reads(void)
{
    char byte;

    if (read(fds[0], &byte, 1) != 1)
        bail("read");
}

/* ---- and others all the same ---------------------------------------------------------------- */

static int hog(void *fn)
{
    void (*const *f)(void) = fn;

    __atomic_fetch_add(&started, 1, __ATOMIC_SEQ_CST);
    (*f)();
    return 0;
}

static const struct kind {
    const char *name;
    void (*fn)(void);
    bool computes;
} kinds[] = {
    { "loops without calls", loops, true },
    { "loops with calls", calls, true },
    { "a callback of qsort", sorts, true },
    { "memcpy", copies, true },
    { "malloc and free", allocates, true },
    { "printf", prints, true },
    { "dlopen and dlclose", loads, true },
    { "a loop with a mutex held", holds_mutex, true },
    { "a loop with all signals masked", masks, true },
    { "nanosleep", sleeps, false },
    { "a read of a pipe", reads, false },
};

static void others_run(const struct kind *k)
{
    struct quoit_g *g[HOGS_MOST];
    int n = 2 * world_procs() + 1;
    uint64_t before = stats().preempts[2];

    set(&stop, 0);
    for (int i = 0; i < n; i++)
        g[i] = world_go_apart(hog, (void *)(uintptr_t)&k->fn);
    for (int i = 0; i < WAKES; i++)
        quoit_sleep(SHORT_NS);
    set(&stop, 1);
    for (int i = 0; i < n; i++)
        if (write(fds[1], "x", 1) != 1)
            bail("write");
    for (int i = 0; i < n; i++)
        world_join(g[i]);
    for (char byte; k->fn != reads && n > 0; n--)
        if (read(fds[0], &byte, 1) != 1)
            bail("read");
    ok(true, "others run beside %d in %s", 2 * world_procs() + 1, k->name);
    /* With one P none of the others ran before the first of them had lost it. */
    if (k->computes && world_procs() == 1)
        ok(stats().preempts[2] > before, "as P's are taken");
}

/* ---- where the thread may run --------------------------------------------------------------- */

/* Of the calling thread, as the kernel says. */
static int cpus(void)
{
    char line[256];
    FILE *f = fopen("/proc/thread-self/status", "r");
    unsigned long mask = 0;

    while (f != NULL && fgets(line, sizeof line, f) != NULL)
        if (sscanf(line, "Cpus_allowed: %lx", &mask) == 1)
            break;
    if (f != NULL)
        fclose(f);
    return __builtin_popcountl(mask);
}

static int widens(void *arg)
{
    int before = cpus(), now = before;

    (void)arg;
    while (now == before)
        now = cpus();
    quoit_yield();
    is_int(cpus(), before, "a hog may run on the whole node, and is bound again when it comes in");
    set(&stop, 1);
    return 0;
}

static int spins(void *arg)
{
    (void)arg;
    while (!is_set(&stop))
        quoit_yield();
    return 0;
}

static void affinity(void)
{
    struct quoit_g *g[HOGS_MOST + 1];
    int n = world_procs();

    set(&stop, 0);
    g[n] = world_go_apart(widens, NULL);
    for (int i = 0; i < n; i++)
        g[i] = world_go_apart(spins, NULL);
    for (int i = 0; i <= n; i++)
        world_join(g[i]);
}

/* ---- all of it ------------------------------------------------------------------------------ */

static int body(void *arg)
{
    bool narrow = cpus() == 1 && sysconf(_SC_NPROCESSORS_ONLN) > 1;

    (void)arg;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        others_run(&kinds[i]);
    is_int((int)stats().hogs, 0, "none is left");
    if (narrow && quoit_num_nodes() == 1 && quoit_node_cpus(0, NULL, 0) > 1)
        affinity();
    else
        skip("threads are not bound to one of several cpus");
    return 7;
}

/* ---- limits --------------------------------------------------------------------------------- */

static char said[512];
static int warned;

static void hear(int level, const char *line, void *word)
{
    (void)level;
    if (strstr(line, word) == NULL)
        return;
    if (!is_set(&warned))
        snprintf(said, sizeof said, "%s", line);
    set(&warned, 1);
}

static int until_warned(void *arg)
{
    bool pin = arg != NULL;

    if (pin)
        quoit_pin();
    while (!is_set(&warned))
        ;
    if (pin)
        quoit_unpin();
    return 0;
}

static int computes_then_reads(void *arg)
{
    char byte;

    (void)arg;
    while (!is_set(&started))
        ;
    if (read(fds[0], &byte, 1) != 1)
        bail("read");
    return 0;
}

static int starts(void *arg)
{
    (void)arg;
    set(&started, 1);
    return 0;
}

static int writes(void *arg)
{
    (void)arg;
    if (write(fds[1], "x", 1) != 1)
        bail("write");
    return 0;
}

static void run(const char *word, const char *variable, const char *value)
{
    struct quoit_options o = { .size = sizeof o, .procs = 1, .log = hear,
                               .log_arg = (void *)(uintptr_t)word };

    setenv(variable, value, 1);
    unsetenv("GOMAXPROCS");
    set(&warned, 0);
    set(&started, 0);
    is_int(quoit_init(&o), 0, "%s=%s", variable, value);
    unsetenv(variable);
}

static void ends(void)
{
    is_int(quoit_shutdown(INT64_MAX), 0, "and all end");
}

static void spawn(quoit_fn fn, void *arg)
{
    struct quoit_attr attr = QUOIT_ATTR_INIT;

    attr.name = "the hog";
    if (quoit_go_attr(&attr, fn, arg) < 0)
        bail("quoit_go_attr");
}

static void limits(void)
{
    run("QUOIT_MAXHOGS", "QUOIT_MAXHOGS", "1");
    for (int i = 0; i < 3; i++)
        spawn(until_warned, NULL);
    ends();
    if (!ok(strstr(said, "the hog") != NULL && strstr(said, "made at") != NULL,
            "one hog too many is named"))
        diag("%s", said);

    run("the hog, made at", "GODEBUG", "hogs=1");
    spawn(until_warned, NULL);
    spawn(starts, NULL);
    ends();
    ok(is_set(&started), "a hog is told of, and others run");

    run("pinned", "QUOIT_QUANTUM", "1ms");
    spawn(until_warned, &warned);
    spawn(starts, NULL);
    ends();
    if (!ok(strstr(said, "the hog") != NULL, "one that is pinned keeps its P, and is named"))
        diag("%s", said);

    /* The one that came to read is no hog any more, so there may be another one. */
    run("QUOIT_MAXHOGS", "QUOIT_MAXHOGS", "1");
    spawn(computes_then_reads, NULL);
    spawn(starts, NULL);
    spawn(computes_then_reads, NULL);
    spawn(writes, NULL);
    spawn(writes, NULL);
    ends();
    ok(true, "who comes to block is no hog any more");
}

int main(void)
{
    from = calloc(1, BYTES);
    if (from == NULL || pipe(fds) != 0)
        bail("no memory");
    is_int(quoit_main(body, NULL), 7, "the program ends");
    limits();
    free(from);
    return done_testing();
}
