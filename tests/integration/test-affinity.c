/* SPDX-License-Identifier: BSD-3-Clause
 * test-affinity.c - goroutines run on bound threads; what they start does not
 */
#include "tap.h"
#include "wide.h"

#include "quoit.h"

#include <sched.h>
#include <stdlib.h>

enum { GOROUTINES = 64 };

static quoit_wg all;
static int narrow;

static int is_narrow(void *arg)
{
    (void)arg;
    if (!wide_now())
        __atomic_fetch_add(&narrow, 1, __ATOMIC_RELAXED);
    quoit_wg_done(&all);
    return 0;
}

static int in_goroutine(void *arg)
{
    cpu_set_t seen;
    (void)arg;
    ok(!wide_now(), "the first goroutine's thread is bound to a core");
    wide_all(true, "goroutine");
    ok(wide_fork(), "goroutine: fork has the process's cpus");
    CPU_ZERO(&seen);
    if (sched_getaffinity(0, sizeof seen, &seen) == 0)
        is_int(CPU_COUNT(&seen), wide_cpus(), "a goroutine that asks is told the process's cpus");
    else
        skip("more than 1024 cpus");
    quoit_wg_add(&all, GOROUTINES);
    for (int i = 0; i < GOROUTINES; i++)
        if (quoit_go(is_narrow, NULL))
            bail("quoit_go");
    quoit_wg_wait(&all);
    is_int(__atomic_load_n(&narrow, __ATOMIC_RELAXED), GOROUTINES,
           "so are the threads of all the others");
    return 0;
}

static int unbound(void *arg)
{
    (void)arg;
    ok(wide_now(), "with QUOIT_BIND=none nothing is bound");
    return 0;
}

int main(int argc, char **argv)
{
    wide_begin(argc, argv);
#ifdef OWN_PTHREAD_CREATE
    skip_all("the sanitizer's pthread_create and the like are part of this program");
#endif
    if (wide_cpus() == 1)
        skip_all("one cpu: nothing can be narrower");
    setenv("QUOIT_BIND", "core", 1);
    is_int(quoit_main(in_goroutine, NULL), 0, "quoit_main");
    ok(wide_now(), "afterwards the thread is as free as it was");
    ok(wide_thread(NULL) && wide_spawn() && wide_system(), "and so is what it starts");
    narrow = 0;
    is_int(quoit_main(in_goroutine, NULL), 0, "quoit_main again");
    setenv("QUOIT_BIND", "none", 1);
    is_int(quoit_main(unbound, NULL), 0, "quoit_main without binding");
    return done_testing();
}
