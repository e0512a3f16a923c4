/* SPDX-License-Identifier: BSD-3-Clause
 * guard.c - pages below a stack that nobody may touch
 *
 * Three levels. MADV_GUARD_INSTALL (Linux 6.13) marks page table entries: no
 * mapping is split, and one process_madvise guards a whole batch. mprotect
 * makes two mappings of each stack, and a process may have vm.max_map_count of
 * them (65530), which other people's code needs too: so it stops at a quarter.
 * What then remains are canaries, which cost nothing here (stack.c).
 *
 * Kept open was a descriptor of the own process for process_madvise: after a
 * fork it would still be the parent's, and the child would punch guards into
 * the parent's stacks. So it is opened for each batch.
 */
#include "guard.h"

#include "atomic.h"
#include "compiler.h"

#include "env.h"
#include "throw.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

/* Room for a frame of several KiB, and for what a signal frame needs with all
 * vector state. */
enum { GUARD_MIN = 16 << 10, BATCH_MAX = 64 };
/* vm.max_map_count where nobody can be asked; and how many mappings mprotect
 * makes of a stack. */
enum { MAPS_DEFAULT = 65530, MAPS_PER_STACK = 2 };

static enum guard_choice level;
static bool batches;         /* process_madvise takes the advice */
static uint32_t mprotected;  /* stacks guarded by mprotect */
static uint32_t mprotect_max;

size_t guard_bytes(void)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);

    return page > GUARD_MIN ? page : GUARD_MIN;
}

/* ---- the levels: how many of the n are guarded ---------------------------------------------- */

/* No descriptor or no memory now is no refusal: the next batch may have them. */
static void batch_refused(int err)
{
    if (err != EMFILE && err != ENFILE && err != ENOMEM && err != EAGAIN && err != EINTR)
        /* hint: a stale value costs a refused call */
        store_relaxed(&batches, false);
}

static int by_batch(char *first, size_t stride, int n)
{
    struct iovec at[BATCH_MAX];
    size_t bytes = guard_bytes();
    long done;
    int fd;

    for (int i = 0; i < n; i++)
        at[i] = (struct iovec){ first + (size_t)i * stride, bytes };
    fd = (int)syscall(SYS_pidfd_open, getpid(), 0);
    if (fd < 0) {
        batch_refused(errno);
        return 0;
    }
    done = syscall(SYS_process_madvise, fd, at, n, MADV_GUARD_INSTALL, 0);
    if (done < 0)
        batch_refused(errno);
    close(fd);
    return done < 0 ? 0 : (int)((size_t)done / bytes);
}

static int by_madvise(char *first, size_t stride, int n)
{
    int i = 0;

    /* hint: as in batch_refused */
    if (n > 1 && load_relaxed(&batches))
        i = by_batch(first, stride, n);
    for (; i < n; i++)
        if (madvise(first + (size_t)i * stride, guard_bytes(), MADV_GUARD_INSTALL) != 0)
            break;
    return i;
}

static int by_mprotect(char *first, size_t stride, int n)
{
    int i;

    for (i = 0; i < n; i++) {
        if (add_relaxed(&mprotected, 1) >= mprotect_max ||
            mprotect(first + (size_t)i * stride, guard_bytes(), PROT_NONE) != 0) {
            add_relaxed(&mprotected, -1);
            break;
        }
    }
    return i;
}

int guard_install(char *first, size_t stride, int n)
{
    int done = 0;

    while (done < n) {
        char *at = first + (size_t)done * stride;
        int some = n - done < BATCH_MAX ? n - done : BATCH_MAX, k = 0;

        if (level == GUARD_MADVISE)
            k = by_madvise(at, stride, some);
        else if (level == GUARD_MPROTECT)
            k = by_mprotect(at, stride, some);
        done += k;
        if (k < some)
            break;
    }
    return done;
}

/* ---- at start ------------------------------------------------------------------------------- */

static uint32_t max_map_count(void)
{
    char text[24] = "";
    int fd = open("/proc/sys/vm/max_map_count", O_RDONLY | O_CLOEXEC);
    ssize_t n = -1;
    long count;

    if (fd >= 0) {
        n = read(fd, text, sizeof text - 1);
        close(fd);
    }
    count = n > 0 ? strtol(text, NULL, 10) : 0;
    if (count <= 0)
        return MAPS_DEFAULT;
    return count > INT32_MAX ? INT32_MAX : (uint32_t)count;
}

/* Does the kernel take the advice, for memory as stacks are made of? */
static bool kernel_has_guards(void)
{
    size_t bytes = guard_bytes();
    void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    bool has;

    if (p == MAP_FAILED)
        return false;
    has = madvise(p, bytes, MADV_GUARD_INSTALL) == 0;
    munmap(p, bytes);
    return has;
}

void guard_init(void)
{
    batches = true;
    mprotected = 0;
    mprotect_max = max_map_count() / 4 / MAPS_PER_STACK;
    level = env.guard;
    if (level == GUARD_AUTO || level == GUARD_MADVISE) {
        if (kernel_has_guards()) {
            level = GUARD_MADVISE;
        } else if (level == GUARD_MADVISE) {
            log_line(LOG_WARNING,
                     "QUOIT_GUARD=madvise: this kernel has no MADV_GUARD_INSTALL (Linux 6.13), or "
                     "memory is locked: using canary");
            level = GUARD_CANARY;
        } else {
            level = GUARD_MPROTECT;
        }
    }
}
