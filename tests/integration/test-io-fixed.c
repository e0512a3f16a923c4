/* SPDX-License-Identifier: BSD-3-Clause
 * test-io-fixed.c - registered memory: used where it can be, and never in place of other memory
 *
 * The environment says which way the calls go; what a program sees is the same, but for the
 * numbers.
 */
#include "quoit.h"
#include "quoit_io.h"

#include "child.h"
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { BYTES = 1 << 18, BLOCK = 4096, PLACES = 64, READERS = 100, NO_SUCH_LIMIT = 99 };

static int file;

static struct quoit_stats numbers(void)
{
    struct quoit_stats st = { .size = sizeof st };

    quoit_stats(&st);
    return st;
}

/* Without a word of the environment some threads may have rings, and others none. */
static int goes(const char *by)
{
    const char *way = getenv("QUOIT_IO");

    return way != NULL && strcmp(way, by) == 0;
}

static char *pages(void *at, size_t n)
{
    char *p = mmap(at, n, PROT_READ | PROT_WRITE,
                   MAP_PRIVATE | MAP_ANONYMOUS | (at != NULL ? MAP_FIXED : 0), -1, 0);

    if (p == MAP_FAILED)
        bail("mmap");
    return p;
}

/* Each block is made of its number. */
static int block_is(const char *p, int number)
{
    for (int i = 0; i < BLOCK; i++)
        if (p[i] != (char)number)
            return 0;
    return 1;
}

static void what_is_wrong_is_refused(char *p)
{
    is_int(quoit_buf_register(NULL, 5), -EINVAL, "no memory");
    is_int(quoit_buf_register(p, 0), -EINVAL, "no bytes");
    is_int(quoit_buf_register(p, (1u << 30) + 1), -EINVAL, "more than a gigabyte");
    is_int(quoit_buf_unregister(p, 5), -ENOENT, "what is not registered");
    is_int(quoit_buf_unregister(NULL, 0), -ENOENT, "nothing");
    for (int i = 0; i < PLACES; i++)
        if (quoit_buf_register(p + i, 1) != 0)
            bail("place %d is refused", i);
    is_int(quoit_buf_register(p + 5, 1), -EEXIST, "twice the same");
    is_int(quoit_buf_register(p + PLACES, 1), -ENOSPC, "one more than there are places");
    for (int i = 0; i < PLACES; i++)
        if (quoit_buf_unregister(p + i, 1) != 0)
            bail("place %d is not there", i);
}

static void buffers_in_it_are_used(char *p)
{
    uint64_t before = numbers().fixed_ops;
    char out[BLOCK];

    is_int(quoit_buf_register(p, BYTES), 0, "register");
    is_int(quoit_pread(file, p + BLOCK, BLOCK, 2 * BLOCK), BLOCK, "pread into it");
    ok(block_is(p + BLOCK, 2), "has the block");
    memset(p, 9, BLOCK);
    is_int(quoit_pwrite(file, p, BLOCK, 9 * BLOCK), BLOCK, "pwrite out of it");
    is_int(quoit_pread(file, p + BYTES - BLOCK, BLOCK, 9 * BLOCK), BLOCK, "pread to its very end");
    ok(block_is(p + BYTES - BLOCK, 9), "has what was written");
    if (goes("uring"))
        is_int(numbers().fixed_ops - before, 3 * (numbers().fixed_refusals == 0),
               "all three as registered memory, if it is taken");
    else
        ok(numbers().fixed_ops - before <= 3u * !goes("posix"), "as registered memory, or not: %d",
           (int)(numbers().fixed_ops - before));
    before = numbers().fixed_ops;
    is_int(quoit_pread(file, out, BLOCK, 5 * BLOCK), BLOCK, "pread elsewhere");
    is_int(quoit_pread(file, p - BLOCK, 2 * BLOCK, 5 * BLOCK), 2 * BLOCK, "and across its border");
    is_int(numbers().fixed_ops - before, 0, "not so");
    ok(block_is(out, 5) && block_is(p - BLOCK, 5) && block_is(p, 6), "have their blocks");
}

/* The kernel still has the old pages in hand. */
static void other_memory_in_its_place_is_other_memory(char *p)
{
    is_int(quoit_buf_unregister(p, BYTES), 0, "unregister");
    pages(p, BYTES);
    is_int(quoit_pread(file, p, BLOCK, 3 * BLOCK), BLOCK, "pread into what is there now");
    ok(block_is(p, 3), "has the block");
    is_int(quoit_buf_register(p, BYTES), 0, "which is registered");
    is_int(quoit_pread(file, p, BLOCK, 4 * BLOCK), BLOCK, "pread");
    ok(block_is(p, 4), "has the block");
    is_int(quoit_buf_unregister(p, BYTES), 0, "unregister");
    pages(p, BYTES);
    is_int(quoit_buf_register(p, BYTES), 0, "registered in the same moment");
    is_int(quoit_pread(file, p, BLOCK, 7 * BLOCK), BLOCK, "pread");
    ok(block_is(p, 7), "has the block");
}

struct reader {
    char *buf;
    int number, right;
    quoit_wg *done;
};

static int read_blocks(void *arg)
{
    struct reader *r = arg;

    for (int i = 0; i < 10; i++) {
        int block = (r->number + i * 7) % (BYTES / BLOCK);

        r->right += quoit_pread(file, r->buf, BLOCK, (off_t)block * BLOCK) == BLOCK &&
                    block_is(r->buf, block);
    }
    quoit_wg_done(r->done);
    return 0;
}

/* On all rings, while memory comes and goes. */
static void many_use_it(char *p)
{
    static struct reader r[READERS];
    quoit_wg done = QUOIT_WG_INIT;
    int right = 0;

    quoit_wg_add(&done, READERS);
    for (int i = 0; i < READERS; i++) {
        r[i] = (struct reader){ .buf = p + i % (BYTES / BLOCK) * BLOCK, .number = i,
                                .done = &done };
        if (i >= BYTES / BLOCK)
            r[i].buf = aligned_alloc(BLOCK, BLOCK);
        quoit_go(read_blocks, &r[i]);
    }
    for (int i = 0; i < 20; i++) {
        quoit_yield();
        quoit_buf_register(p - BLOCK, BLOCK);
        quoit_yield();
        quoit_buf_unregister(p - BLOCK, BLOCK);
    }
    quoit_wg_wait(&done);
    for (int i = 0; i < READERS; i++) {
        right += r[i].right;
        if (i >= BYTES / BLOCK)
            free(r[i].buf);
    }
    is_int(right, 10 * READERS, "every read of many goroutines is right");
}

static void past_the_page_cache(char *p)
{
    char name[32];
    int fd;

    snprintf(name, sizeof name, "/proc/self/fd/%d", file);
    quoit_fsync(file);
    fd = quoit_openat(AT_FDCWD, name, O_RDWR | O_DIRECT | O_CLOEXEC, 0);
    if (fd < 0) {
        skip("this file system has no O_DIRECT: %d", fd);
        return;
    }
    is_int(quoit_pread(fd, p, BYTES / 2, 0), BYTES / 2, "pread with O_DIRECT");
    ok(block_is(p, 0) && block_is(p + 8 * BLOCK, 8), "has the blocks");
    is_int(quoit_pwrite(fd, p + BLOCK, BLOCK, 0), BLOCK, "pwrite with O_DIRECT");
    is_int(quoit_pread(file, p, BLOCK, 0), BLOCK, "read through the cache");
    ok(block_is(p, 1), "it is there");
    quoit_close(fd);
}

/* ---- no memory may be pinned ---------------------------------------------------------------- */

static int read_one(void *arg)
{
    char *p = arg;
    struct quoit_stats st;

    if (quoit_buf_register(p, BYTES) != 0 || quoit_pread(file, p, BLOCK, 2 * BLOCK) != BLOCK)
        return 1;
    st = numbers();
    quoit_buf_unregister(p, BYTES);
    if (!block_is(p, 2) || st.fixed_ops != 0)
        return 2;
    /* Some kernels count the rings as well. */
    return st.fixed_refusals > 0 || st.ring_ops == 0 ? 0 : 3;
}

/* Less than that memory, and more than a few rings. Who may lock without limit is not asked. */
static int without_locked_memory(void *arg)
{
    struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
    struct __user_cap_data_struct caps[2];
    struct rlimit less = { BYTES - BLOCK, BYTES - BLOCK };

    if (syscall(SYS_capget, &head, caps) < 0)
        return NO_SUCH_LIMIT;
    caps[0].effective &= ~(1u << CAP_IPC_LOCK);
    if (syscall(SYS_capset, &head, caps) < 0 || setrlimit(RLIMIT_MEMLOCK, &less) < 0)
        return NO_SUCH_LIMIT;
    return quoit_main(read_one, arg);
}

static void refused_memory_is_used_all_the_same(char *p)
{
    struct child c;

    if (!goes("uring")) {
        skip("without rings nobody pins memory");
        return;
    }
    child_run(&c, without_locked_memory, p);
    if (child_end(&c) == NO_SUCH_LIMIT)
        skip("RLIMIT_MEMLOCK cannot be lowered here");
    else
        is_int(child_end(&c), 0, "no memory may be pinned: reads are right, and it is counted");
}

/* ---------------------------------------------------------------------------------------------- */

static int body(void *arg)
{
    char *p = arg;

    what_is_wrong_is_refused(p);
    buffers_in_it_are_used(p);
    other_memory_in_its_place_is_other_memory(p);
    many_use_it(p);
    past_the_page_cache(p);
    is_int(quoit_buf_unregister(p, BYTES), 0, "unregister");
    return 0;
}

int main(void)
{
    char name[] = "/tmp/quoit-fixed-XXXXXX", block[BLOCK];
    char *p = pages(NULL, 2 * BYTES) + BLOCK; /* a page before it is other memory */

    file = mkstemp(name);
    unlink(name);
    for (int i = 0; i < BYTES / BLOCK; i++) {
        memset(block, i, sizeof block);
        if (write(file, block, sizeof block) != sizeof block)
            bail("cannot write to %s", name);
    }
    refused_memory_is_used_all_the_same(p);
    is_int(quoit_main(body, p), 0, "quoit_main");
    is_int(quoit_buf_register(p, BYTES), 0, "registered while nothing runs");
    is_int(quoit_buf_unregister(p, BYTES), 0, "and unregistered");
    return done_testing();
}
