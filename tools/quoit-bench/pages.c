/* SPDX-License-Identifier: BSD-3-Clause
 * pages.c - what a process uses, read from /proc, and what a page costs
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench.h"
#include "measure.h"
#include "pages.h"

/* More than a parked goroutine keeps beside its page: its record, page tables,
 * its share of a slab. */
enum { BESIDE_PAGE = 2048 };

/* The value behind `key` in a file of lines "Key:  123 kB", in bytes; false:
 * not there. */
static bool kilobytes(const char *path, const char *key, uint64_t *bytes)
{
    FILE *f = fopen(path, "re");
    char line[256], name[64];
    unsigned long long kb;
    bool found = false;

    if (!f)
        return false;
    while (!found && fgets(line, sizeof(line), f))
        found = sscanf(line, "%63[^:]: %llu kB", name, &kb) == 2 && strcmp(name, key) == 0;
    fclose(f);
    if (found)
        *bytes = kb * 1024;
    return found;
}

int memory_used(struct memory *m)
{
    if (kilobytes("/proc/self/status", "VmRSS", &m->resident) &&
        kilobytes("/proc/self/status", "VmPTE", &m->tables))
        return 0;
    return -ENOENT;
}

const char *memory_not_told(const struct options *o)
{
    struct memory m;

    (void)o;
    return memory_used(&m) ? "/proc, which tells what memory is used, is not mounted" : NULL;
}

uint64_t memory_available(void)
{
    uint64_t bytes;

    return kilobytes("/proc/meminfo", "MemAvailable", &bytes) ? bytes : 0;
}

uint64_t memory_for(uint64_t n, uint64_t extra)
{
    uint64_t each = (uint64_t)sysconf(_SC_PAGESIZE) + BESIDE_PAGE + extra;
    uint64_t fits = memory_available() / 5 * 4 / each;

    if (n > INT32_MAX / 2)
        n = INT32_MAX / 2;
    return fits && fits < n ? fits : n;
}

int touch_pages(uint64_t pages, uint64_t *ns)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), len = pages * page;
    volatile char *p =
        mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    uint64_t t0;

    if ((void *)p == MAP_FAILED)
        return -errno;
    /* Refused where the kernel has no huge pages, and then there is nothing to
     * forbid. */
    madvise((void *)p, len, MADV_NOHUGEPAGE);
    t0 = now_ns();
    for (size_t i = 0; i < len; i += page)
        p[i] = 1;
    *ns = now_ns() - t0;
    munmap((void *)p, len);
    return 0;
}
