/* SPDX-License-Identifier: BSD-3-Clause
 * mem.c - mmap, and mbind where there is a choice
 *
 * Of libnuma only what cannot end the process: numa_available and the bare
 * mbind. The policy is `preferred`: a full node must give memory from
 * elsewhere, not kill. With one node nothing is bound, so neighbouring mappings
 * stay one.
 */
#include "mem.h"

#include "atomic.h"

#include "topo.h"

#include <errno.h>
#include <limits.h>
#include <numa.h>
#include <numaif.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum { LONG_BITS = 8 * sizeof(long), NODES_MAX = 4096 };

/* The errno of the last refusal; 0: none. */
static int refused;

static size_t page_size(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

/* A kernel without mbind, or a filter that forbids it, will not change its
 * mind: not asked again. */
static int hopeless(int err)
{
    return err == EPERM || err == ENOSYS;
}

static void bind_memory(void *p, size_t bytes, int node)
{
    const struct topo *t = topo_get();
    if (!t || node < 0 || node >= t->nnodes || t->nnodes == 1)
        return;
    /* hint: a stale value costs one call more */
    if (hopeless(load_relaxed(&refused)))
        return;
    unsigned long mask[NODES_MAX / LONG_BITS] = {0};
    int os = t->node_os[node], err = 0;
    if (numa_available() < 0) {
        err = ENOSYS;
    } else if (os >= NODES_MAX) {
        err = EINVAL;
    } else {
        mask[os / LONG_BITS] = 1UL << (os % LONG_BITS);
        /* The kernel reads one bit less than it is told. */
        if (mbind(p, bytes, MPOL_PREFERRED, mask, (unsigned long)os + 2, 0))
            err = errno;
    }
    if (err)
        /* hint: only read to tell people, and to save calls */
        store_relaxed(&refused, err);
}

void *mem_reserve(size_t bytes, size_t align, int node)
{
    size_t page = page_size();
    if (align < page)
        align = page;
    if (bytes > SIZE_MAX / 2 || align > SIZE_MAX / 4)
        return NULL;
    bytes = (bytes + page - 1) & ~(page - 1);
    size_t spare = align - page;
    char *p = mmap(NULL, bytes + spare, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED)
        return NULL;
    size_t before = -(uintptr_t)p & (align - 1);
    if (before)
        munmap(p, before);
    if (spare - before)
        munmap(p + before + bytes, spare - before);
    bind_memory(p + before, bytes, node);
    return p + before;
}

void mem_release(void *p, size_t bytes)
{
    size_t page = page_size();
    if (p)
        munmap(p, (bytes + page - 1) & ~(page - 1));
}

const char *mem_bind_refused(void)
{
    /* hint: for people */
    switch (load_relaxed(&refused)) {
    case 0:
        return NULL;
    case EPERM:
        return "mbind is forbidden (EPERM), as in many containers; the first touch decides";
    case ENOSYS:
        return "mbind is not there (ENOSYS), by kernel or filter; the first touch decides";
    case EINVAL:
        return "mbind does not know the node or may not use it (EINVAL); the first touch decides";
    default:
        return "mbind failed; the first touch decides";
    }
}
