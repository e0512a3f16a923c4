/* SPDX-License-Identifier: BSD-3-Clause
 * machine.c - where the figures come from
 */
#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "quoit.h"
#include "quoit_io.h"

#include "bench.h"

/* ---- cpus */

/* Whether another hardware thread of the same core comes before this one. */
static bool is_sibling(int cpu, const cpu_set_t *among)
{
    char path[96];
    int first = cpu;
    FILE *f;

    snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%d/topology/thread_siblings_list",
             cpu);
    f = fopen(path, "re");
    if (!f)
        return false;
    if (fscanf(f, "%d", &first) != 1)
        first = cpu;
    fclose(f);
    return first != cpu && CPU_ISSET(first, among);
}

static cpu_set_t allowed; /* before this process was confined */

/* False where there are more cpus than a cpu_set_t has room for. */
static bool before_confined(void)
{
    static bool known;

    if (!known)
        known = sched_getaffinity(0, sizeof(allowed), &allowed) == 0;
    return known;
}

/* Whole cores first, then their other hardware threads; -1: not so many. */
static int nth_cpu(int n)
{
    for (int pass = 0; pass < 2; pass++)
        for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
            if (CPU_ISSET(cpu, &allowed) && is_sibling(cpu, &allowed) == pass && n-- == 0)
                return cpu;
    return -1;
}

void machine_confine(int n)
{
    cpu_set_t mine;

    if (!before_confined())
        return;
    CPU_ZERO(&mine);
    for (int i = 0, cpu; i < n && (cpu = nth_cpu(i)) >= 0; i++)
        CPU_SET(cpu, &mine);
    sched_setaffinity(0, sizeof(mine), &mine);
}

bool machine_take_cpu(int n)
{
    cpu_set_t one;
    int cpu = before_confined() ? nth_cpu(n) : -1;

    if (cpu < 0)
        return false;
    CPU_ZERO(&one);
    CPU_SET(cpu, &one);
    return sched_setaffinity(0, sizeof(one), &one) == 0;
}

int machine_cpus(void)
{
    return before_confined() ? CPU_COUNT(&allowed) : (int)sysconf(_SC_NPROCESSORS_ONLN);
}

/* x86 says "model name"; on arm only the board or the parts of a number are
 * known. */
static void cpu_model(char *model, size_t size)
{
    FILE *f = fopen("/proc/cpuinfo", "re");
    char line[256], *value;

    snprintf(model, size, "unknown");
    while (f && fgets(line, sizeof(line), f)) {
        line[strcspn(line, "\n")] = 0;
        value = strstr(line, ": ");
        if (value && (strncmp(line, "model name", 10) == 0 || strncmp(line, "CPU part", 8) == 0)) {
            snprintf(model, size, "%s%s", line[0] == 'C' ? "arm part " : "", value + 2);
            break;
        }
    }
    if (f)
        fclose(f);
}

/* ---- what Quoit makes of it */

uint64_t quoit_system_calls(void)
{
    struct quoit_stats st = {.size = sizeof(st)};

    quoit_stats(&st);
    return st.ring_enters + st.helper_ops + st.inline_ops;
}

static int write_end;

static int writer(void *arg)
{
    ssize_t *result = arg;

    *result = quoit_write(write_end, "", 1);
    return 0;
}

/* A read that must wait cannot be done inline, so it shows what the library
 * does its waiting with. */
static int probe(void *arg)
{
    const struct job *job = arg;
    struct quoit_stats st = {.size = sizeof(st)};
    struct quoit_g *child;
    struct quoit_attr attr = QUOIT_ATTR_INIT;
    ssize_t written = 0, got;
    int fd[2], err;
    char byte;

    if (pipe(fd) < 0)
        return -errno;
    write_end = fd[1];
    attr.handle = &child;
    err = quoit_go_attr(&attr, writer, &written);
    if (err)
        return err;
    got = quoit_read(fd[0], &byte, 1);
    quoit_join(child, NULL);
    if (got != 1 || written != 1)
        return outcome_wrong(job->out, "a byte through a pipe: written %zd, read %zd", written,
                             got);
    err = quoit_stats(&st);
    job->out->procs = (int)st.procs;
    job->out->rings = st.ring_ops > 0;
    return err;
}

static void ask_quoit(struct machine *m, const struct options *o)
{
    static const struct side side = {.peer = "quoit", .run = probe, .in_quoit = true};
    struct job job = {.iterations = 1, .options = o};

    job.out =
        mmap(NULL, sizeof(*job.out), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (job.out == MAP_FAILED) {
        snprintf(m->error, sizeof(m->error), "%s", strerror(errno));
        return;
    }
    run_child(&side, &job);
    if (job.out->error[0]) {
        snprintf(m->error, sizeof(m->error), "%s", job.out->error);
    } else {
        m->width = job.out->procs;
        m->io = job.out->rings ? "uring" : "posix";
    }
    munmap(job.out, sizeof(*job.out));
}

/* The library takes auto for a word that it does not know. */
static const char *bind_in_use(void)
{
    static const char *const words[] = {"core", "pu", "node", "none"};
    const char *asked = getenv("QUOIT_BIND");

    for (size_t i = 0; asked && i < sizeof(words) / sizeof(words[0]); i++)
        if (strcmp(asked, words[i]) == 0)
            return words[i];
    return "auto";
}

void machine_look(struct machine *m, const struct options *o)
{
    struct utsname u;

    memset(m, 0, sizeof(*m));
    uname(&u);
    cpu_model(m->cpu, sizeof(m->cpu));
    snprintf(m->kernel, sizeof(m->kernel), "%s %s", u.sysname, u.release);
    snprintf(m->quoit, sizeof(m->quoit), "%s", quoit_version());
    m->cores = m->width = machine_cpus();
    m->memory_mb =
        (long)((uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE) >> 20);
    m->io = "unknown";
    m->bind = bind_in_use();
    if (o->peer[PEER_QUOIT])
        ask_quoit(m, o);
}
