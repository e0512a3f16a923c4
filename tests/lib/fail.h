/* SPDX-License-Identifier: BSD-3-Clause
 * fail.h - the n-th call of the kernel fails
 *
 * The linker leads a test's calls through fail.c (--wrap, see meson.build),
 * those of the floors that are linked in statically too; what ships knows
 * nothing of it. Calls that libc makes itself are not led through. Counting is
 * atomic; setting is for a moment when nobody calls.
 */
#ifndef QUOIT_TESTS_FAIL_H
#define QUOIT_TESTS_FAIL_H

enum fail_call {
    FAIL_MMAP,
    FAIL_MPROTECT,
    FAIL_GUARD,           /* madvise with MADV_GUARD_INSTALL */
    FAIL_MADVISE,         /* with any other advice */
    FAIL_PROCESS_MADVISE, /* by syscall(2) */
    FAIL_MINCORE,
    FAIL_SIGALTSTACK,
    FAIL_CALLS
};

/* From the n-th call on (1: the next one) `times` of them fail with `err`;
 * counting starts anew. */
void fail_from(enum fail_call call, int n, int times, int err);
/* All calls work again; counting starts anew. */
void fail_never(void);
/* Calls since then, those that failed included. */
int fail_count(enum fail_call call);

#endif
