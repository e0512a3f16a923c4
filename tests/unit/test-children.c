/* SPDX-License-Identifier: BSD-3-Clause
 * test-children.c - what a bound thread starts has the process's cpus
 *
 * Without a scheduler: the thread is bound by hand. The program starts itself
 * again as a child; with an argument it only compares its mask, as the kernel
 * has it, with that argument.
 */
#include "tap.h"

#include "bind.h"
#include "children.h"
#include "topo.h"

#include <dlfcn.h>
#include <pthread.h>
#include <sched.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* clang links its sanitizers' pthread_create and the like into the program
 * itself: calls of those go through no table. gcc's are in a library. */
#if defined(__clang__)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define OWN_PTHREAD_CREATE 1
#endif
#endif

extern char **environ;

static const char *self;
static char wide[4096]; /* the process's mask, as the kernel tells it, in hexadecimal */

static void tell_mask(char *out)
{
    unsigned char mask[1024] = {0};
    long n = syscall(SYS_sched_getaffinity, 0, sizeof mask, mask);
    for (long i = 0; i < n; i++)
        sprintf(out + 2 * i, "%02x", mask[i]);
}

static bool is_wide(void)
{
    char now[4096] = "";
    tell_mask(now);
    return strcmp(now, wide) == 0;
}

static void *thread_wide(void *out)
{
    *(bool *)out = is_wide();
    return NULL;
}

static bool thread_is_wide(const pthread_attr_t *attr)
{
    pthread_t id;
    bool answer = false;
    if (pthread_create(&id, attr, thread_wide, &answer))
        bail("no thread");
    pthread_join(id, NULL);
    return answer;
}

static bool ends_well(pid_t pid)
{
    int status = -1;
    return waitpid(pid, &status, 0) == pid && status == 0;
}

static bool spawn_is_wide(void)
{
    pid_t pid;
    char *argv[] = {(char *)(uintptr_t)self, wide, NULL};
    return posix_spawn(&pid, self, NULL, NULL, argv, environ) == 0 && ends_well(pid);
}

static bool spawnp_is_wide(void)
{
    pid_t pid;
    char *argv[] = {(char *)(uintptr_t)self, wide, NULL};
    return posix_spawnp(&pid, self, NULL, NULL, argv, environ) == 0 && ends_well(pid);
}

static bool system_is_wide(void)
{
    char command[8192];
    snprintf(command, sizeof command, "'%s' %s", self, wide);
    return system(command) == 0;
}

static bool popen_is_wide(void)
{
    char command[8192];
    snprintf(command, sizeof command, "'%s' %s", self, wide);
    FILE *f = popen(command, "r");
    return f && pclose(f) == 0;
}

static bool fork_is_wide(void)
{
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0)
        _exit(is_wide() && !bind_is_bound() ? 0 : 1);
    return ends_well(pid);
}

static void all_ways(bool want, const char *when)
{
    const char *what = want ? "has the process's cpus" : "inherits";
    pthread_attr_t attr;
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, 1 << 18);
    ok(thread_is_wide(NULL) == want, "%s: a thread %s", when, what);
    ok(thread_is_wide(&attr) == want, "%s: a thread with attributes of its own %s", when, what);
    ok(spawn_is_wide() == want, "%s: posix_spawn %s", when, what);
    ok(spawnp_is_wide() == want, "%s: posix_spawnp %s", when, what);
    ok(system_is_wide() == want, "%s: system %s", when, what);
    ok(popen_is_wide() == want, "%s: popen %s", when, what);
    ok(!is_wide(), "%s: the thread itself is as bound as before", when);
    pthread_attr_destroy(&attr);
}

/* Other mask, set by the user: neither widened nor hidden. */
static void masks_of_the_user(const struct topo *t)
{
    cpu_set_t one, seen;
    CPU_ZERO(&one);
    CPU_SET(t->slots[0].cpu, &one);
    if (t->slots[0].cpu >= CPU_SETSIZE) {
        skip("cpu numbers above %d", CPU_SETSIZE);
        return;
    }
    sched_setaffinity(0, sizeof one, &one);
    ok(!thread_is_wide(NULL), "a thread that is not bound by us passes on what it has");
    sched_getaffinity(0, sizeof seen, &seen);
    ok(CPU_EQUAL(&seen, &one), "and is told so");
}

static void what_it_is_told(const struct topo *t, const struct place *p)
{
    cpu_set_t seen;
    CPU_ZERO(&seen);
    is_int(sched_getaffinity(0, sizeof seen, &seen), 0, "a bound thread asks for its mask");
    is_int(CPU_COUNT(&seen), t->nslots, "and is told the process's");
    is_int(sched_getaffinity(gettid(), sizeof seen, &seen), 0, "by its number");
    is_int(CPU_COUNT(&seen), t->nslots, "the same");
    is_int(pthread_getaffinity_np(pthread_self(), sizeof seen, &seen), 0, "by pthread");
    is_int(CPU_COUNT(&seen), t->nslots, "the same");
    CPU_ZERO(&seen);
    CPU_SET(p[0].cpu, &seen);
    sched_setaffinity(0, sizeof seen, &seen);
    CPU_ZERO(&seen);
    sched_getaffinity(0, sizeof seen, &seen);
    ok(CPU_COUNT(&seen) == 1 && CPU_ISSET(p[0].cpu, &seen), "a mask of the user's is shown");
}

/* libgomp brings attributes of its own and counts cpus; here it comes after
 * children_install. */
struct team {
    pthread_mutex_t lock;
    pthread_t first;
    int members, wide;
};

static void member(void *arg)
{
    struct team *team = arg;
    pthread_mutex_lock(&team->lock);
    team->members++;
    team->wide += pthread_equal(pthread_self(), team->first) || is_wide();
    pthread_mutex_unlock(&team->lock);
}

static void openmp(const struct topo *t, const struct place *p)
{
    void *lib = dlopen("libgomp.so.1", RTLD_NOW | RTLD_LOCAL);
    if (!lib) {
        skip("no libgomp");
        return;
    }
    children_refresh();
    bind_thread(BIND_PU, p);
    int (*num_procs)(void) = (int (*)(void))(uintptr_t)dlsym(lib, "omp_get_num_procs");
    void (*parallel)(void (*)(void *), void *, unsigned, unsigned) =
        (void (*)(void (*)(void *), void *, unsigned, unsigned))(uintptr_t)dlsym(lib, "GOMP_parallel");
    if (!num_procs || !parallel)
        bail("another libgomp than known");
    static struct team team = {.lock = PTHREAD_MUTEX_INITIALIZER};
    team.first = pthread_self();
    is_int(num_procs(), t->nslots, "omp_get_num_procs counts the process's cpus");
    parallel(member, &team, 4, 0);
    pthread_mutex_lock(&team.lock); /* TSan does not see libgomp's own barrier */
    is_int(team.members, 4, "a team of four");
    is_int(team.wide, 4, "whose new members have the process's cpus");
    pthread_mutex_unlock(&team.lock);
    bind_thread_process();
}

int main(int argc, char **argv)
{
    struct place p[2];
    self = argv[0];
    tell_mask(wide);
    if (argc > 1)
        return strcmp(argv[1], wide) != 0;
#ifdef OWN_PTHREAD_CREATE
    skip_all("the sanitizer's functions are part of this program");
#endif
    if (topo_load() || bind_save() || place_make(2, p))
        bail("this machine cannot be loaded");
    const struct topo *t = topo_get();
    if (t->nslots == 1)
        skip_all("one cpu: nothing can be narrower");

    is_int(children_install(), 0, "installed");
    bind_thread(BIND_PU, &p[1]);
    all_ways(true, "bound");
    ok(fork_is_wide(), "bound: fork has the process's cpus");
    what_it_is_told(t, p);
    bind_thread_process();
    bind_thread(BIND_PU, &p[1]);
    ok(fork_is_wide() && spawn_is_wide(), "after the user's own mask too");
    bind_thread_process();
    openmp(t, &p[1]);

    children_remove();
    bind_thread(BIND_PU, &p[1]);
    all_ways(false, "removed");
    bind_thread_process();

    is_int(children_install(), 0, "installed again");
    bind_thread(BIND_PU, &p[0]);
    all_ways(true, "bound again");
    bind_thread_process();
    masks_of_the_user(t);
    children_remove();
    bind_forget();
    topo_unload();
    return done_testing();
}
