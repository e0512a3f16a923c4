/* SPDX-License-Identifier: BSD-3-Clause
 * fail.c - the n-th call of the kernel fails
 */
#include "fail.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/types.h>

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

static struct {
    int count, from, times, err;
} plan[FAIL_CALLS];

void fail_from(enum fail_call call, int n, int times, int err)
{
    plan[call].count = 0;
    plan[call].from = n;
    plan[call].times = times;
    plan[call].err = err;
}

void fail_never(void)
{
    for (int i = 0; i < FAIL_CALLS; i++)
        fail_from(i, 0, 0, 0);
}

int fail_count(enum fail_call call)
{
    return __atomic_load_n(&plan[call].count, __ATOMIC_RELAXED);
}

static bool fails(enum fail_call call)
{
    int n = __atomic_add_fetch(&plan[call].count, 1, __ATOMIC_RELAXED);

    if (plan[call].from == 0 || n < plan[call].from || n - plan[call].from >= plan[call].times)
        return false;
    errno = plan[call].err;
    return true;
}

void *__real_mmap(void *p, size_t n, int prot, int flags, int fd, off_t at);
void *__wrap_mmap(void *p, size_t n, int prot, int flags, int fd, off_t at);
void *__real_mmap64(void *p, size_t n, int prot, int flags, int fd, off_t at);
void *__wrap_mmap64(void *p, size_t n, int prot, int flags, int fd, off_t at);
int __real_mprotect(void *p, size_t n, int prot);
int __wrap_mprotect(void *p, size_t n, int prot);
int __real_madvise(void *p, size_t n, int advice);
int __wrap_madvise(void *p, size_t n, int advice);
int __real_mincore(void *p, size_t n, unsigned char *in);
int __wrap_mincore(void *p, size_t n, unsigned char *in);
int __real_sigaltstack(const stack_t *ours, stack_t *found);
int __wrap_sigaltstack(const stack_t *ours, stack_t *found);
long __real_syscall(long nr, ...);
long __wrap_syscall(long nr, ...);

void *__wrap_mmap(void *p, size_t n, int prot, int flags, int fd, off_t at)
{
    return fails(FAIL_MMAP) ? MAP_FAILED : __real_mmap(p, n, prot, flags, fd, at);
}

void *__wrap_mmap64(void *p, size_t n, int prot, int flags, int fd, off_t at)
{
    return fails(FAIL_MMAP) ? MAP_FAILED : __real_mmap64(p, n, prot, flags, fd, at);
}

int __wrap_mprotect(void *p, size_t n, int prot)
{
    return fails(FAIL_MPROTECT) ? -1 : __real_mprotect(p, n, prot);
}

int __wrap_madvise(void *p, size_t n, int advice)
{
    enum fail_call call = advice == MADV_GUARD_INSTALL ? FAIL_GUARD : FAIL_MADVISE;

    return fails(call) ? -1 : __real_madvise(p, n, advice);
}

int __wrap_mincore(void *p, size_t n, unsigned char *in)
{
    return fails(FAIL_MINCORE) ? -1 : __real_mincore(p, n, in);
}

int __wrap_sigaltstack(const stack_t *ours, stack_t *found)
{
    return fails(FAIL_SIGALTSTACK) ? -1 : __real_sigaltstack(ours, found);
}

/* No call has more than six arguments; what a call does not have is read and
 * not looked at. */
__attribute__((no_sanitize("address")))
long __wrap_syscall(long nr, ...)
{
    long a[6];
    va_list ap;

    va_start(ap, nr);
    for (int i = 0; i < 6; i++)
        a[i] = va_arg(ap, long);
    va_end(ap);
    if (nr == SYS_process_madvise && fails(FAIL_PROCESS_MADVISE))
        return -1;
    return __real_syscall(nr, a[0], a[1], a[2], a[3], a[4], a[5]);
}
