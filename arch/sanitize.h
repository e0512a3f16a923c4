/* SPDX-License-Identifier: BSD-3-Clause
 * sanitize.h - tells ASan, TSan and Valgrind which stack runs; nothing when none of them is there
 *
 * Every switch is announced on both sides:
 *
 *     sanitize_leave(&mine, &next, dying);    last thing on the old stack
 *     context_switch(...);
 *     sanitize_arrive(&mine);                 first thing on the new one, with that stack's record
 *
 * A record (struct sanitize_stack) belongs to a stack, not to a goroutine, and may lie on that
 * stack itself, above its first frame. A stack on which a goroutine died is given to the next one
 * by sanitize_stack_reuse().
 *
 * The announcements are inline: TSan counts function entries and exits on the stack it believes in,
 * so a call that begins on one and returns on the other would unbalance both.
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

#if defined(SANITIZE_ASAN) || defined(SANITIZE_TSAN)
#define SANITIZE_SWITCHES 1
#endif

#ifdef SANITIZE_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef SANITIZE_TSAN
#include <sanitizer/tsan_interface.h>
#endif

#ifdef SANITIZE_TSAN
extern char sanitize_maps;
#endif

struct sanitize_stack {
#ifdef SANITIZE_SWITCHES
    bool own; /* a thread's own, not made by us */
#endif
#ifdef SANITIZE_ASAN
    void *fake; /* frames that ASan keeps off the stack; NULL: none yet */
    const void *low;
    size_t size;
#endif
#ifdef SANITIZE_TSAN
    void *fiber;
#endif
    unsigned valgrind_id; /* one more than Valgrind's; 0: not registered */
};

/* A stack made by us comes into use or goes out of use; [low, low + size) is what frames may cover.
 * Nobody may run on it at either time. */
void sanitize_stack_make(struct sanitize_stack *s, void *low, size_t size);
void sanitize_stack_free(struct sanitize_stack *s);

/* The running thread's own stack, so that others can switch to it (an M's g0). The thread itself
 * may free the record: the stack stays. */
void sanitize_stack_self(struct sanitize_stack *s);

#ifdef SANITIZE_SWITCHES
/* Before the stack's next owner begins at its top, or takes over in the middle of its first frame.
 * The last owner may have left frames that never returned; ASan would take them for live ones,
 * TSan's count of calls would grow without end. */
void sanitize_stack_reuse(struct sanitize_stack *s, void *low, size_t size);
#else
#define sanitize_stack_reuse(s, low, size) ((void)(s), (void)(low), (void)(size))
#endif

/* Last thing before the frames from here up to a context_call are left without returning, or first
 * thing after it, on a thread that was cancelled: no switch, as the stack stays the same. TSan has
 * no word for it and keeps counting those frames. */
static always_inline void sanitize_cut(void)
{
#ifdef SANITIZE_ASAN
    /* What follows runs where the frames of a cancelled call have left their poison. */
    enum { OWN_FRAMES = 4096 };
    char *here = __builtin_frame_address(0);

    __asan_unpoison_memory_region(here - OWN_FRAMES, OWN_FRAMES);
    __asan_handle_no_return();
#endif
}

/* Do we run on Valgrind? Known before main. */
extern bool sanitize_valgrind;

/* Valgrind takes the n bytes at p for written, whatever they were copied from. */
void sanitize_written(const void *p, size_t n);

/* Memory is mapped, or unmapped, by a bare system call, of which TSan knows nothing: what was done
 * with other memory at the same place came before. */
static inline void sanitize_mapped(void)
{
#ifdef SANITIZE_TSAN
    __tsan_acquire(&sanitize_maps);
#endif
}

static inline void sanitize_unmaps(void)
{
#ifdef SANITIZE_TSAN
    __tsan_release(&sanitize_maps);
#endif
}

static always_inline void sanitize_leave(struct sanitize_stack *from, struct sanitize_stack *to,
                                         bool dying)
{
    (void)from, (void)to, (void)dying;
#ifdef SANITIZE_ASAN
    from->fake = NULL;
    __sanitizer_start_switch_fiber(dying ? NULL : &from->fake, to->low, to->size);
#endif
#ifdef SANITIZE_TSAN
    /* 0: what stands before the switch happens before what follows it, as on any one thread. */
    __tsan_switch_to_fiber(to->fiber, 0);
#endif
}

static always_inline void sanitize_arrive(struct sanitize_stack *here)
{
    (void)here;
#ifdef SANITIZE_ASAN
    __sanitizer_finish_switch_fiber(here->fake, NULL, NULL);
#endif
}

#endif
