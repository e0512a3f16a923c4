/* SPDX-License-Identifier: BSD-3-Clause
 * stress-children.c - libraries come and go while their calls are pointed
 * elsewhere and back
 *
 * What is sought is a write into an object that the loader is still at work on,
 * or one that is gone: either ends the program. At the end a library that came
 * in the middle of it all must be pointed here like the rest.
 */
#include "tap.h"

#include "bind.h"
#include "children.h"
#include "sanitize.h"
#include "topo.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

enum { SECONDS = 2 };

static const char *const libraries[] = {"libgomp.so.1", "libstdc++.so.6", "libssl.so.3",
                                        "libcurl.so.4", "libz.so.1", "libatomic.so.1"};
enum { LIBRARIES = sizeof libraries / sizeof *libraries };

static time_t until;
static unsigned seed;

static time_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec;
}

static void *load_and_unload(void *arg)
{
    unsigned dice = seed + (unsigned)(uintptr_t)arg;
    intptr_t loads = 0;
    while (now() < until) {
        int roll = rand_r(&dice);
        void *lib = dlopen(libraries[roll % LIBRARIES], roll & 1024 ? RTLD_LAZY : RTLD_NOW);
        loads += lib != NULL;
        if (lib)
            dlclose(lib);
    }
    return (void *)loads;
}

static void *look(void *arg)
{
    intptr_t looks = 0;
    for (; now() < until; looks++)
        children_refresh();
    (void)arg;
    return (void *)looks;
}

static void *start_and_stop(void *arg)
{
    intptr_t rounds = 0;
    for (; now() < until; rounds++)
        if (children_install() == 0)
            children_remove();
    (void)arg;
    return (void *)rounds;
}

static void *(*const bodies[])(void *) = {load_and_unload, load_and_unload, look, look,
                                          start_and_stop};
enum { THREADS = sizeof bodies / sizeof *bodies };

static void all_together(void)
{
    pthread_t id[THREADS];
    intptr_t done[THREADS];
    for (int i = 0; i < THREADS; i++)
        if (pthread_create(&id[i], NULL, bodies[i], (void *)(uintptr_t)i))
            bail("no thread");
    for (int i = 0; i < THREADS; i++) {
        void *result;
        pthread_join(id[i], &result);
        done[i] = (intptr_t)result;
    }
    diag("%ld and %ld loads, %ld and %ld looks, %ld starts", (long)done[0], (long)done[1],
         (long)done[2], (long)done[3], (long)done[4]);
    if (done[0] + done[1] == 0)
        skip("none of the libraries is here");
    ok(done[2] > 0 && done[3] > 0 && done[4] > 0, "and looked at meanwhile");
}

static void still_right(const struct topo *t)
{
    struct place p;
    place_make(1, &p);
    children_install();
    void *lib = dlopen("libgomp.so.1", RTLD_NOW);
    int (*num_procs)(void) = lib ? (int (*)(void))(uintptr_t)dlsym(lib, "omp_get_num_procs") : NULL;
    if (!num_procs) {
        skip("no libgomp");
    } else {
        children_refresh();
        bind_thread(BIND_PU, &p);
        is_int(num_procs(), t->nslots, "a library loaded last is pointed here too");
        bind_thread_process();
    }
    children_remove();
}

int main(void)
{
#ifdef SANITIZE_SWITCHES
    skip_all("TSan does not see the loader's lock, ASan counts what unloaded libraries leave");
#endif
    const char *seconds = getenv("QUOIT_STRESS_SECONDS"), *again = getenv("QUOIT_STRESS_SEED");
    seed = again ? (unsigned)strtoul(again, NULL, 0) : (unsigned)time(NULL);
    diag("QUOIT_STRESS_SEED=%u repeats this", seed);
    until = now() + (seconds ? atoi(seconds) : SECONDS);
    if (topo_load() || bind_save())
        bail("this machine cannot be loaded");
    all_together();
    still_right(topo_get());
    bind_forget();
    topo_unload();
    return done_testing();
}
