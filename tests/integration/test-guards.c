/* SPDX-License-Identifier: BSD-3-Clause
 * test-guards.c - very many parked goroutines, at each level of guards
 *
 * A million where QUOIT_STRESS_SECONDS is set (not in the quick set-up), else a
 * number that still is more than mprotect can guard by the default of
 * vm.max_map_count.
 */
#include "child.h"
#include "tap.h"

#include <quoit.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { FEW = 20000, MANY = 1000000 };

/* What a parked goroutine may cost at most without page tables. */
enum { BYTES_EACH = 4600 };

static int wanted;
static int arrived;
static quoit_sema gate;
static quoit_wg all;

static int parks(void *arg)
{
    (void)arg;
    __atomic_add_fetch(&arrived, 1, __ATOMIC_RELAXED);
    quoit_sema_wait(&gate);
    quoit_wg_done(&all);
    return 0;
}

/* A line of /proc/self/status, in KiB. */
static long status_of(const char *name)
{
    FILE *f = fopen("/proc/self/status", "re");
    char line[128];
    long kib = -1;

    while (f != NULL && fgets(line, sizeof line, f) != NULL)
        if (strncmp(line, name, strlen(name)) == 0)
            kib = strtol(line + strlen(name), NULL, 10);
    if (f != NULL)
        fclose(f);
    return kib;
}

/* Says on stderr what is to be checked. */
static int park_all(void *arg)
{
    struct quoit_stats s = { .size = sizeof s };
    long before = status_of("VmRSS:");

    (void)arg;
    quoit_wg_add(&all, wanted);
    for (int i = 0; i < wanted; i++)
        if (quoit_go(parks, NULL) != 0)
            return 51;
    while (__atomic_load_n(&arrived, __ATOMIC_RELAXED) < wanted)
        quoit_yield();
    quoit_stats(&s);
    fprintf(stderr, "live=%s bare=%s bytes=%ld tables=%ld\n",
            s.stacks_live >= (uint64_t)wanted ? "all" : "few",
            s.stacks_bare == 0 ? "none" : s.stacks_bare < (uint64_t)wanted ? "some" : "all",
            (status_of("VmRSS:") - before) * 1024 / wanted, status_of("VmPTE:") * 1024 / wanted);
    for (int i = 0; i < wanted; i++)
        quoit_sema_post(&gate);
    quoit_wg_wait(&all);
    return 0;
}

static int in_child(void *guard)
{
    setenv("QUOIT_GUARD", guard, 1);
    return quoit_main(park_all, NULL);
}

static void many_fit(char *guard, const char *bare)
{
    static struct child c;
    const char *at;
    long bytes;

    child_run(&c, in_child, guard);
    is_int(child_end(&c), 0, "%d parked goroutines with QUOIT_GUARD=%s", wanted, guard);
    ok(child_said(&c, "live=all"), "each has a stack");
    ok(child_said(&c, bare), "without a guard: %s", bare);
    at = strstr(c.said, " bytes=");
    bytes = at != NULL ? strtol(at + 7, NULL, 10) : 0;
    diag("%s: bytes of each, and of its page tables:%s", guard, at != NULL ? at : " unknown");
    if (bytes <= 0)
        skip("no /proc");
    else
        ok(bytes <= BYTES_EACH, "%ld bytes each", bytes);
}

static bool sanitized(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    return true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
    return true;
#endif
#endif
    return false;
}

static bool kernel_has_guards(void)
{
    size_t bytes = (size_t)sysconf(_SC_PAGESIZE);
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    bool has = madvise(p, bytes, 102 /* MADV_GUARD_INSTALL */) == 0;

    munmap(p, bytes);
    return has;
}

/* mprotect takes a quarter of the mappings, and two for each stack. */
static bool mappings_run_out(void)
{
    FILE *f = fopen("/proc/sys/vm/max_map_count", "re");
    int maps = 0;

    if (f == NULL)
        return true;
    if (fscanf(f, "%d", &maps) != 1)
        maps = 0;
    fclose(f);
    return maps / 8 < wanted;
}

int main(void)
{
    long pages = sysconf(_SC_AVPHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    const char *mprotect_leaves;

    wanted = getenv("QUOIT_STRESS_SECONDS") != NULL ? MANY : FEW;
    if (sanitized())
        skip_all("a sanitizer needs far more memory for each stack");
    /* Page, record, page tables, and room for others. */
    if (pages / wanted < 2)
        skip_all("%ld MiB of memory are free, %ld are needed", pages * (page >> 10) >> 10,
                 2L * wanted * (page >> 10) >> 10);
    mprotect_leaves = mappings_run_out() ? "bare=some" : "bare=none";
    many_fit((char[]){ "mprotect" }, mprotect_leaves);
    many_fit((char[]){ "canary" }, "bare=all");
    if (kernel_has_guards()) {
        many_fit((char[]){ "madvise" }, "bare=none");
        many_fit((char[]){ "auto" }, "bare=none");
    } else {
        many_fit((char[]){ "madvise" }, "bare=all");
        many_fit((char[]){ "auto" }, mprotect_leaves);
    }
    return done_testing();
}
