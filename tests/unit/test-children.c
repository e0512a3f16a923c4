/* SPDX-License-Identifier: BSD-3-Clause
 * test-children.c - what a bound thread starts has the process's cpus
 *
 * Without a scheduler: the thread is bound by hand. The program starts itself
 * again as a child, see wide.h.
 */
#include "tap.h"

#include "bind.h"
#include "children.h"
#include "topo.h"
#include "wide.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

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
    ok(!wide_thread(NULL), "a thread that is not bound by us passes on what it has");
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
    bind_thread_process();
    bind_thread(BIND_PU, &p[1]);
    CPU_ZERO(&seen);
    ok(syscall(SYS_sched_getaffinity, 0, sizeof seen, &seen) > 0, "by syscall");
    is_int(CPU_COUNT(&seen), t->nslots, "the process's again");
    is_int(syscall(SYS_sched_getaffinity, 0, 0, &seen), -1, "no room is as wrong as ever");
    is_int(errno, EINVAL, "and errno says so");
    is_int(syscall(SYS_getpid), getpid(), "other calls go through");
}

/* libgomp brings attributes of its own and counts cpus; here it comes after
 * children_install. */
typedef int num_procs_fn(void);
typedef void parallel_fn(void (*body)(void *), void *arg, unsigned threads, unsigned flags);

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
    team->wide += pthread_equal(pthread_self(), team->first) || wide_now();
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
    num_procs_fn *num_procs = (num_procs_fn *)(uintptr_t)dlsym(lib, "omp_get_num_procs");
    parallel_fn *parallel = (parallel_fn *)(uintptr_t)dlsym(lib, "GOMP_parallel");
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
    wide_begin(argc, argv);
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
    wide_all(true, "bound");
    ok(wide_fork(), "bound: fork has the process's cpus");
    what_it_is_told(t, p);
    bind_thread_process();
    bind_thread(BIND_PU, &p[1]);
    ok(wide_fork() && wide_spawn(), "after the user's own mask too");
    bind_thread_process();
    openmp(t, &p[1]);

    children_remove();
    bind_thread(BIND_PU, &p[1]);
    wide_all(false, "removed");
    bind_thread_process();

    is_int(children_install(), 0, "installed again");
    bind_thread(BIND_PU, &p[0]);
    wide_all(true, "bound again");
    bind_thread_process();
    masks_of_the_user(t);
    children_remove();
    bind_forget();
    topo_unload();
    return done_testing();
}
