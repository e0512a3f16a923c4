/* SPDX-License-Identifier: BSD-3-Clause
 * confine.c - runs a program with less than this machine has
 *
 *     confine cpu PROGRAM ARG...          on one of the allowed cpus
 *     confine membarrier PROGRAM ARG...   where membarrier(2) is refused with EPERM
 *     confine old PROGRAM ARG...          where the kernel does not know it (ENOSYS)
 */
#include "forbid.h"
#include "tap.h"

#include <sched.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static void one_cpu(void)
{
    cpu_set_t cpus;
    int kept = 0;

    if (sched_getaffinity(0, sizeof cpus, &cpus) < 0)
        skip_all("the allowed cpus cannot be read: %s", strerror(errno));
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
        if (CPU_ISSET(cpu, &cpus) && kept++ > 0)
            CPU_CLR(cpu, &cpus);
    if (sched_setaffinity(0, sizeof cpus, &cpus) < 0)
        skip_all("sched_setaffinity: %s", strerror(errno));
}

static void without_membarrier(int err)
{
    int e = forbid(SYS_membarrier, err);

    if (e < 0)
        skip_all("no seccomp filter can be set: %s", strerror(-e));
}

int main(int argc, char **argv)
{
    if (argc < 3)
        bail("usage: confine cpu|membarrier|old PROGRAM ARG...");
    if (strcmp(argv[1], "cpu") == 0)
        one_cpu();
    else if (strcmp(argv[1], "membarrier") == 0)
        without_membarrier(EPERM);
    else if (strcmp(argv[1], "old") == 0)
        without_membarrier(ENOSYS);
    else
        bail("confine: %s is not known", argv[1]);
    execv(argv[2], argv + 2);
    bail("%s: %s", argv[2], strerror(errno));
}
