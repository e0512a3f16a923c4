/* SPDX-License-Identifier: BSD-3-Clause
 * sanitize.h - tells ASan, TSan and Valgrind which stack runs; nothing when none of them is there
 *
 * Every switch is announced on both sides:
 *
 *     sanitize_leave(&mine, &next, dying);    last thing on the old stack
 *     context_switch(...);
 *     sanitize_arrive(&mine);                 first thing on the new one, with that stack's record
 *
 * A record (struct sanitize_stack) belongs to a stack, not to a goroutine: goroutines that follow one
 * another on one stack are one fibre, ordered by the queues that hand them over.
 */
#ifndef QUOIT_ARCH_SANITIZE_H
#define QUOIT_ARCH_SANITIZE_H

#include <stdbool.h>
#include <stddef.h>

#include "compiler.h"

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZE_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZE_ASAN 1
#endif
#endif
#if defined(__SANITIZE_THREAD__)
#define SANITIZE_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SANITIZE_TSAN 1
#endif
#endif

struct sanitize_stack {
#ifdef SANITIZE_ASAN
    void *fake;
    const void *low;
    size_t size;
#endif
#ifdef SANITIZE_TSAN
    void *fiber;
#endif
    unsigned valgrind_id; /* 0: not registered */
};

#if defined(SANITIZE_ASAN) || defined(SANITIZE_TSAN)
#define SANITIZE_SWITCHES 1
#endif

/* A stack made by us comes into use or goes out of use: bounds are told, a fibre made or ended. */
void sanitize_stack_make(struct sanitize_stack *s, void *low, size_t size);
void sanitize_stack_free(struct sanitize_stack *s);
/* The running thread's own stack, so that others can switch to it (an M's g0). */
void sanitize_stack_self(struct sanitize_stack *s);

#ifdef SANITIZE_SWITCHES
void sanitize_leave(struct sanitize_stack *from, struct sanitize_stack *to, bool dying);
void sanitize_arrive(struct sanitize_stack *here);
#else
static always_inline void sanitize_leave(struct sanitize_stack *from, struct sanitize_stack *to, bool dying)
{
    (void)from, (void)to, (void)dying;
}
static always_inline void sanitize_arrive(struct sanitize_stack *here)
{
    (void)here;
}
#endif

#endif
