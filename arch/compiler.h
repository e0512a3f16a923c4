/* SPDX-License-Identifier: BSD-3-Clause
 * compiler.h - what the compiler knows and C does not say
 */
#ifndef QUOIT_ARCH_COMPILER_H
#define QUOIT_ARCH_COMPILER_H

#include <stddef.h>

#define CACHELINE 64

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

#define cacheline_aligned __attribute__((aligned(CACHELINE)))
#define noinline __attribute__((noinline))
#define always_inline inline __attribute__((always_inline))
#define cold __attribute__((cold, noinline))
#define noreturn_fn __attribute__((noreturn))
#define printf_like(fmt, args) __attribute__((format(printf, fmt, args)))
#define unused_arg __attribute__((unused))

#define container_of(ptr, type, member) \
    ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

#define array_len(a) (sizeof(a) / sizeof((a)[0]))

/* Two fields that different threads write must not share a line; the proof stands beside the struct. */
#define assert_line(type, field, line) \
    _Static_assert(offsetof(type, field) / CACHELINE == (line), #type "." #field " left its cache line")
#define assert_apart(type, a, b)                                                    \
    _Static_assert(offsetof(type, a) / CACHELINE != offsetof(type, b) / CACHELINE, \
                   #type "." #a " and ." #b " share a cache line")

#endif
