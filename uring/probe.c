/* SPDX-License-Identifier: BSD-3-Clause
 * probe.c - a trial ring, and a plain sentence about why there is none
 */
#include "probe.h"

#include "env.h"
#include "os_linux.h"

#include "ring.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* One mapping for both queues, completions never dropped, the file's own position as an offset, a
 * deadline in io_uring_enter. All there since 5.11. */
static const unsigned needed =
    IORING_FEAT_SINGLE_MMAP | IORING_FEAT_NODROP | IORING_FEAT_RW_CUR_POS | IORING_FEAT_EXT_ARG;

/* The value of kernel.io_uring_disabled, 0 where it cannot be read. */
static int disabled(void)
{
    char c = '0';
    int fd = open("/proc/sys/kernel/io_uring_disabled", O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return 0;
    if (read(fd, &c, 1) != 1)
        c = '0';
    close(fd);
    return c - '0';
}

static void explain(struct probe *p, int e)
{
    int sysctl = e == -EPERM ? disabled() : 0;

    p->error = e;
    if (sysctl > 0)
        snprintf(p->why, sizeof p->why,
                 "the system forbids io_uring: sysctl kernel.io_uring_disabled is %d; 0 allows it",
                 sysctl);
    else if (e == -EPERM || e == -EACCES)
        snprintf(p->why, sizeof p->why,
                 "io_uring is forbidden here (%s), as containers do by seccomp; allow "
                 "io_uring_setup, io_uring_enter and io_uring_register",
                 strerrorname_np(-e));
    else if (e == -ENOSYS)
        snprintf(p->why, sizeof p->why,
                 "this kernel has no io_uring, or a sandbox hides it (ENOSYS)");
    else if (e == -ENOMEM)
        snprintf(p->why, sizeof p->why,
                 "no memory for a ring (ENOMEM); a higher ulimit -l may help");
    else if (e == -EOPNOTSUPP)
        snprintf(p->why, sizeof p->why,
                 "this kernel's io_uring is too old; Linux 5.11 has what is needed");
    else
        snprintf(p->why, sizeof p->why, "a ring cannot be set up (%s)", strerrorname_np(-e));
}

/* What no ring is taken without: then the posix way is better throughout. */
static const uint64_t least = 1ull << IORING_OP_OPENAT | 1ull << IORING_OP_CLOSE |
                              1ull << IORING_OP_READ | 1ull << IORING_OP_WRITE |
                              1ull << IORING_OP_FSYNC | 1ull << IORING_OP_POLL_ADD |
                              1ull << IORING_OP_ASYNC_CANCEL;

static uint64_t opcodes_there(struct ring *r)
{
    struct io_uring_probe *all = io_uring_get_probe_ring(&r->liburing);
    uint64_t there = 0;

    for (int i = 0; i < 64 && all != NULL; i++)
        if (io_uring_opcode_supported(all, i))
            there |= 1ull << i;
    if (all != NULL)
        io_uring_free_probe(all);
    return there;
}

/* A worker or a thread of the kernel may have to come by first. */
static const struct io_uring_cqe *answer(struct ring *r)
{
    const struct io_uring_cqe *cqe;

    while ((cqe = ring_peek(r)) == NULL)
        if (ring_wait(r, INT64_MAX) < 0)
            break;
    return cqe;
}

/* Cancelling all of nothing: an old kernel takes exception to the flag. */
static bool try_cancel_any(struct ring *r)
{
    struct io_uring_sqe *sqe = ring_entry(r);
    const struct io_uring_cqe *cqe;
    bool known;

    sqe->opcode = IORING_OP_ASYNC_CANCEL;
    sqe->cancel_flags = IORING_ASYNC_CANCEL_ANY | IORING_ASYNC_CANCEL_ALL;
    if (ring_submit(r) != 1)
        return false;
    cqe = answer(r);
    if (cqe == NULL)
        return false;
    known = cqe->res != -EINVAL;
    ring_took(r);
    return known;
}

/* Files in places of the ring: a kernel that does not know of them opens descriptors, of which no
 * two are 0 at a time. */
static bool try_direct(struct ring *r)
{
    const struct io_uring_cqe *cqe;
    bool direct = ring_slots(r, 1) == 0;

    for (int i = 0; direct && i < 2; i++) {
        struct io_uring_sqe *sqe = ring_entry(r);

        sqe->opcode = IORING_OP_OPENAT;
        sqe->fd = AT_FDCWD;
        sqe->addr = (uintptr_t)"/";
        sqe->open_flags = O_RDONLY | O_DIRECTORY;
        sqe->file_index = 1;
    }
    if (!direct || ring_submit(r) != 2)
        return false;
    for (int i = 0; i < 2; i++) {
        cqe = answer(r);
        if (cqe == NULL)
            return false;
        direct &= cqe->res == 0;
        if (cqe->res > 0)
            close(cqe->res);
        ring_took(r);
    }
    return direct;
}

/* Operations by the version of Linux that has them first, as env_kernel() writes it. */
static uint64_t opcodes_of(int kernel)
{
    static const struct {
        int kernel, op;
    } first[] = { { 518, IORING_OP_MSG_RING }, { 519, IORING_OP_FSETXATTR },
                  { 600, IORING_OP_SEND_ZC }, { 601, IORING_OP_SENDMSG_ZC },
                  { 607, IORING_OP_SENDMSG_ZC + 1 } };

    for (size_t i = 0; i < array_len(first); i++)
        if (kernel < first[i].kernel)
            return (1ull << first[i].op) - 1;
    return UINT64_MAX;
}

/* One that is not there: a kernel that knows how says so. */
static bool try_cancel_by_others(const struct probe *p, const struct ring *r)
{
    return !(p->flags & IORING_SETUP_SINGLE_ISSUER) && ring_cancel_sync(r, UINT64_MAX) == -ENOENT;
}

static void try_features(struct probe *p, struct ring *r)
{
    p->opcodes &= opcodes_of(env_kernel());
    p->cancel_any = env_kernel() >= 519 && try_cancel_any(r);
    p->cancel_by_others = p->cancel_any && env_kernel() >= 600 && try_cancel_by_others(p, r);
    p->direct = try_direct(r);
}

static const char *kind(unsigned flags)
{
    if (env_kernel() < INT_MAX)
        return "uring as an older kernel has it (experiment kernel-...)";
    if (flags & IORING_SETUP_SQPOLL)
        return "uring, submitted by a thread of the kernel (experiment sqpoll)";
    if (flags & IORING_SETUP_DEFER_TASKRUN)
        return "uring, completions wait for their thread (experiment defer)";
    if (experiment(EXPERIMENT_SQPOLL))
        return "uring; the experiment sqpoll is not to be had here (Linux 5.11)";
    if (experiment(EXPERIMENT_DEFER))
        return "uring; this kernel cannot do the experiment defer (Linux 6.1)";
    return "uring";
}

/* Flags that are not known are left out, and a thread of the kernel, which may be refused for
 * reasons of its own. */
static int open_best(struct ring *r, unsigned *flags)
{
    int e = -EINVAL;

    for (int k = 0; ring_flags(k, flags); k++) {
        e = ring_open(r, RING_ENTRIES, *flags);
        if (e != -EINVAL && (e == 0 || !(*flags & IORING_SETUP_SQPOLL)))
            break;
    }
    return e;
}

void probe_rings(struct probe *p)
{
    struct ring r;
    int e;

    memset(p, 0, sizeof *p);
    p->how = "posix: ";
    ring_init(&r);
    e = open_best(&r, &p->flags);
    if (e < 0) {
        explain(p, e);
        return;
    }
    p->opcodes = opcodes_there(&r);
    if ((r.liburing.features & needed) != needed || (p->opcodes & least) != least)
        explain(p, -EOPNOTSUPP);
    else
        try_features(p, &r);
    ring_close(&r);
    if (p->error == 0)
        p->how = kind(p->flags);
}

void probe_rings_as(struct probe *p, const char *experiments)
{
    env.experiments = experiments != NULL ? parse_experiments(experiments) : 0;
    probe_rings(p);
}
