/* SPDX-License-Identifier: BSD-3-Clause
 * test-core-start.c - Quoit starts, ends, starts again, and gives back what it took
 */
#include "quoit.h"

#include "tap.h"
#include "world.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- before and inside ---------------------------------------------------------------------- */

static int nothing(void *arg)
{
    (void)arg;
    return 0;
}

static int value(void *arg)
{
    return *(int *)arg;
}

static void off(void)
{
    struct quoit_attr attr = QUOIT_ATTR_INIT;
    struct quoit_options bad = { .size = 3 };

    ok(quoit_self() == NULL && quoit_goid() == 0, "outside there is no goroutine");
    is_int(quoit_num_goroutine(), 0, "none exists before the start");
    is_int(quoit_go(nothing, NULL), -ESHUTDOWN, "nothing is spawned before the start");
    is_int(quoit_go_copy(nothing, "", 1), -ESHUTDOWN, "not with a copy either");
    is_int(quoit_go_attr(&attr, nothing, NULL), -ESHUTDOWN, "nor with attributes");
    is_int(quoit_shutdown(0), -EPERM, "nothing to shut down");
    is_int(quoit_main(NULL, NULL), -EINVAL, "a first goroutine without a function");
    is_int(quoit_init(&bad), -EINVAL, "options of a size that never was");
    bad = (struct quoit_options){ .size = sizeof bad, .flags = 1u << 31 };
    is_int(quoit_init(&bad), -EINVAL, "a flag that this version does not know");
    quoit_yield();
    ok(strcmp(quoit_version(), QUOIT_VERSION) == 0, "the version is that of the header");
}

static void *from_other_thread(void *arg)
{
    int *e = arg;

    e[0] = quoit_main(nothing, NULL);
    e[1] = quoit_init(NULL);
    e[2] = quoit_shutdown(0);
    e[3] = quoit_self() == NULL && quoit_goid() == 0;
    return NULL;
}

static int inside(void *arg)
{
    pthread_t other;
    int e[4];

    ok(quoit_self() != NULL && quoit_goid() != 0, "the first goroutine is one");
    is_int(quoit_num_goroutine(), 1, "and the only one");
    ok(quoit_num_thread() >= 1, "there is a thread");
    is_int(quoit_main(nothing, NULL), -EALREADY, "quoit_main in a goroutine");
    is_int(quoit_init(NULL), -EALREADY, "quoit_init in a goroutine");
    is_int(quoit_shutdown(0), -EPERM, "quoit_shutdown in a goroutine");
    if (pthread_create(&other, NULL, from_other_thread, e))
        bail("no thread");
    pthread_join(other, NULL);
    is_int(e[0], -EALREADY, "quoit_main in another thread");
    is_int(e[1], -EALREADY, "quoit_init in another thread");
    is_int(e[2], -EPERM, "quoit_shutdown of what quoit_main started");
    ok(e[3], "another thread is no goroutine");
    return *(int *)arg;
}

/* ---- ends ----------------------------------------------------------------------------------- */

static int goexits(void *arg)
{
    quoit_goexit(*(int *)arg);
    return 0;
}

static quoit_sema never;

static int waits(void *arg)
{
    (void)arg;
    quoit_sema_wait(&never);
    return 0;
}

static int parks(void *arg)
{
    (void)arg;
    quoit_park(NULL, NULL, "for good");
    return 0;
}

static int yields(void *arg)
{
    (void)arg;
    for (;;)
        quoit_yield();
    return 0;
}

static int respawns(void *arg)
{
    quoit_go(respawns, arg);
    return 0;
}

static int joins_for_ever(void *arg)
{
    return world_join(world_go(arg != NULL ? joins_for_ever : waits, NULL));
}

static int abandons(void *arg)
{
    quoit_sema_init(&never, 0);
    for (int i = 0; i < 20; i++) {
        world_spawn(waits, NULL);
        world_spawn(parks, NULL);
    }
    world_spawn(yields, NULL);
    world_spawn(yields, NULL);
    world_spawn(respawns, NULL);
    world_spawn(joins_for_ever, arg);
    for (int i = 0; i < 100; i++)
        quoit_yield();
    ok(quoit_num_goroutine() >= 44, "many exist");
    for (int i = 0; i < 100; i++)
        world_spawn(nothing, NULL);
    return 5;
}

static void ends(void)
{
    int seven = 7;

    is_int(quoit_main(inside, &seven), 7, "quoit_main returns what the first goroutine did");
    is_int(quoit_main(goexits, &seven), 7, "quoit_goexit ends the first goroutine too");
    is_int(quoit_main(abandons, &seven), 5, "the others are abandoned wherever they are");
    is_int(quoit_num_goroutine(), 0, "and gone");
    is_int(quoit_num_thread(), 0, "with all threads");
}

/* ---- given back ----------------------------------------------------------------------------- */

struct state {
    sigset_t mask;
    struct sigaction segv, bus;
    stack_t altstack;
    cpu_set_t cpus;
};

static void look(struct state *s)
{
    memset(s, 0, sizeof *s);
    pthread_sigmask(SIG_SETMASK, NULL, &s->mask);
    sigaction(SIGSEGV, NULL, &s->segv);
    sigaction(SIGBUS, NULL, &s->bus);
    sigaltstack(NULL, &s->altstack);
    sched_getaffinity(0, sizeof s->cpus, &s->cpus);
}

static void same(const struct state *a, const struct state *b, const char *when)
{
    bool mask = true;

    for (int i = 1; i < NSIG; i++)
        mask = mask && sigismember(&a->mask, i) == sigismember(&b->mask, i);
    ok(mask, "%s: signal mask", when);
    ok(a->segv.sa_sigaction == b->segv.sa_sigaction && a->segv.sa_flags == b->segv.sa_flags,
       "%s: disposition of SIGSEGV", when);
    ok(a->bus.sa_sigaction == b->bus.sa_sigaction && a->bus.sa_flags == b->bus.sa_flags,
       "%s: disposition of SIGBUS", when);
    ok(a->altstack.ss_sp == b->altstack.ss_sp && a->altstack.ss_flags == b->altstack.ss_flags &&
       a->altstack.ss_size == b->altstack.ss_size, "%s: signal stack", when);
    ok(CPU_EQUAL(&a->cpus, &b->cpus), "%s: affinity", when);
}

static void handler(int sig)
{
    (void)sig;
}

/* Each round of a mask, a handler, a stack and cpus of its own. */
static void *given_back(void *arg)
{
    struct sigaction own = { .sa_handler = handler, .sa_flags = SA_ONSTACK }, old;
    stack_t stack = { .ss_sp = malloc(1 << 16), .ss_size = 1 << 16 }, oldstack;
    struct state before, after;
    sigset_t some;
    int one = 1;

    look(&before);
    is_int(quoit_main(value, &one), 1, "plainly");
    look(&after);
    same(&before, &after, arg);

    sigemptyset(&some);
    sigaddset(&some, SIGUSR1);
    sigaddset(&some, SIGCHLD);
    pthread_sigmask(SIG_BLOCK, &some, NULL);
    sigaction(SIGSEGV, &own, &old);
    sigaltstack(&stack, &oldstack);
    for (int cpu = 0, found = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET(cpu, &before.cpus) && found++ > 0)
            CPU_CLR(cpu, &before.cpus);
    sched_setaffinity(0, sizeof before.cpus, &before.cpus);
    look(&before);
    is_int(quoit_main(value, &one), 1, "with settings of one's own");
    look(&after);
    same(&before, &after, arg);

    sigaltstack(&oldstack, NULL);
    sigaction(SIGSEGV, &old, NULL);
    pthread_sigmask(SIG_UNBLOCK, &some, NULL);
    free(stack.ss_sp);
    return NULL;
}

static void in_a_second_thread(void)
{
    static char name[] = "a second thread";
    pthread_t other;

    if (pthread_create(&other, NULL, given_back, name))
        bail("no thread");
    pthread_join(other, NULL);
}

/* ---- again and again ------------------------------------------------------------------------ */

static int entries(const char *dir)
{
    DIR *d = opendir(dir);
    int n = 0;

    if (d == NULL)
        return -1;
    while (readdir(d) != NULL)
        n++;
    closedir(d);
    return n;
}

static int lines(const char *path)
{
    char buf[4096];
    FILE *f = fopen(path, "re");
    int n = 0;

    if (f == NULL)
        return -1;
    while (fgets(buf, sizeof buf, f) != NULL)
        n++;
    fclose(f);
    return n;
}

static int spawns_some(void *arg)
{
    quoit_wg wg = QUOIT_WG_INIT;
    struct quoit_g *g = world_go_apart(nothing, NULL);

    for (int i = 0; i < 5; i++)
        world_spawn(nothing, NULL);
    quoit_wg_wait(&wg);
    *(uint64_t *)arg = quoit_goid();
    return world_join(g);
}

static void restart(void)
{
    int rounds = world_rounds(world_is_slow() ? 500 : 300), fds = 0, maps = 0;
    int tasks = entries("/proc/self/task");
    uint64_t id, last = 0;
    bool different = true;

    if (rounds > 1000)
        rounds = 1000;
    for (int i = 0; i < rounds; i++) {
        if (quoit_main(spawns_some, &id) != 0)
            bail("round %d", i);
        different = different && id != last;
        last = id;
        /* What libraries keep for good is there by now. */
        if (i == rounds / 2) {
            fds = entries("/proc/self/fd");
            maps = lines("/proc/self/maps");
        }
    }
    ok(different, "ids are not used again by the next start (%d starts)", rounds);
    if (fds < 0) {
        skip("/proc is not mounted");
        return;
    }
    is_int(entries("/proc/self/fd"), fds, "no file is left open");
    is_int(entries("/proc/self/task"), tasks, "no thread is left");
    if (world_is_slow())
        skip("sanitizers map what they like");
    else
        /* libc keeps stacks and heaps for as many threads as ever ran at once. */
        ok(lines("/proc/self/maps") <= maps + rounds / 10, "no memory is left mapped");
}

int main(void)
{
    static char name[] = "the first thread";

    off();
    ends();
    given_back(name);
    in_a_second_thread();
    restart();
    off();
    return done_testing();
}
