/* SPDX-License-Identifier: BSD-3-Clause
 * compiler.h - what the compiler knows and C does not say
 */
#ifndef QUOIT_ARCH_COMPILER_H
#define QUOIT_ARCH_COMPILER_H

#include <stddef.h>

#define CACHELINE 64

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

#define cacheline_aligned __attribute__((__aligned__(CACHELINE)))
#define noinline __attribute__((__noinline__))
#define always_inline inline __attribute__((__always_inline__))
#define cold __attribute__((__cold__, __noinline__))
#define noreturn_fn __attribute__((__noreturn__))
#define printf_like(fmt, args) __attribute__((__format__(__printf__, fmt, args)))
#define no_sanitize_address __attribute__((__no_sanitize__("address")))
#define no_sanitize_thread __attribute__((__no_sanitize__("thread")))
#define unused_arg __attribute__((__unused__))

#define container_of(ptr, type, member) \
    ((type *)(void *)((char *)(ptr)-offsetof(type, member)))

/* Where the running function returns to. */
#define CALLER __builtin_extract_return_addr(__builtin_return_address(0))

#define array_len(a) (sizeof(a) / sizeof((a)[0]))

/* Two fields that different threads write must not share a line; the proof stands beside the
 * struct. */
#define assert_line(type, field, line)                          \
    _Static_assert(offsetof(type, field) / CACHELINE == (line), \
                   #type "." #field " left its cache line")
#define assert_apart(type, a, b)                                                    \
    _Static_assert(offsetof(type, a) / CACHELINE != offsetof(type, b) / CACHELINE, \
                   #type "." #a " and ." #b " share a cache line")

#endif
