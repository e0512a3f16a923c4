/* SPDX-License-Identifier: BSD-3-Clause
 * test-affinity-openmp.c - an OpenMP team made by a goroutine has all cpus
 */
#include "tap.h"
#include "wide.h"

#include "quoit.h"

#include <omp.h>
#include <sched.h>
#include <stdlib.h>

enum { MEMBERS = 4 };

/* The first member is the goroutine, whose thread is bound; that it asks
 * counts, not where it runs. */
static int team(void *arg)
{
    int members = 0, wide = 0, told = 0, computed = 0;
    (void)arg;
    is_int(omp_get_num_procs(), wide_cpus(), "OpenMP counts the process's cpus");
#pragma omp parallel num_threads(MEMBERS) reduction(+ : members, wide, told)
    {
        cpu_set_t seen;
        CPU_ZERO(&seen);
        members++;
        wide += omp_get_thread_num() == 0 || wide_now();
        told += sched_getaffinity(0, sizeof seen, &seen) == 0 && CPU_COUNT(&seen) == wide_cpus();
    }
    is_int(members, MEMBERS, "a team of %d", MEMBERS);
    is_int(wide, MEMBERS, "new members run on the process's cpus");
    is_int(told, MEMBERS, "and each is told so, the goroutine too");
#pragma omp parallel for reduction(+ : computed)
    for (int i = 0; i < 1000; i++)
        computed += i;
    is_int(computed, 499500, "and they compute");
    return 0;
}

int main(int argc, char **argv)
{
    wide_begin(argc, argv);
#ifdef __SANITIZE_THREAD__
    skip_all("TSan does not see libgomp's barriers");
#endif
#ifdef OWN_PTHREAD_CREATE
    skip_all("the sanitizer's pthread_create and the like are part of this program");
#endif
    if (wide_cpus() == 1)
        skip_all("one cpu: nothing can be narrower");
    setenv("QUOIT_BIND", "core", 1);
    is_int(quoit_main(team, NULL), 0, "quoit_main");
    return done_testing();
}
