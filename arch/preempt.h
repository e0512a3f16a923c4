/* SPDX-License-Identifier: BSD-3-Clause
 * preempt.h - what the cpu and the compiler offer to make running code give way
 *
 * Two ways in, for code that was compiled with -fsplit-stack (rungs 1 and 2, design.md):
 *
 *     the guard   a word of each thread, which every such function compares with its stack pointer
 *                 first thing. While GUARD_PREEMPT stands in it the next function that is called
 *                 enters quoit_preempt_enter_ (below) instead
 *     injection   a signal handler makes the code that it interrupted call a function, as if the
 *                 call had stood between the two instructions
 *
 * Both save every register that the interrupted code may have a value in, call a C function on the
 * same stack, and put all back. The function may switch stacks and return in another thread.
 *
 * A goroutine that has changed the rounding mode or the precision would hand that to whoever runs
 * next on the thread; so it is left alone by both, and its P is taken instead.
 *
 * Where there is no guard (have_guard is 0) no function begins with a check, and nothing of ours
 * is ever called that way.
 */
#ifndef QUOIT_ARCH_PREEMPT_H
#define QUOIT_ARCH_PREEMPT_H

#include "atomic.h"
#include "preempt_arch.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Above every stack pointer. */
#define GUARD_PREEMPT UINTPTR_MAX

/* The guard of another thread, by what guard_address() returned in it; the thread still lives. It
 * may be storing its own at the same time: the later store stays. */
static inline void guard_poke(uintptr_t *address, uintptr_t value)
{
    /* hint: seen by the thread's next function, or lost to a switch of its own */
    store_relaxed(address, value);
}

/* Reads what the cpu has. Once, before the others, in a thread whose rounding and precision are
 * those of the process. */
void preempt_init(void);

/* The most that preempt_inject takes of a stack. */
size_t preempt_room(void);

/* In a signal handler, with its third argument: when the handler returns, body() is called where
 * the signal came in, and then everything goes on there. False, and nothing is changed: the call's
 * frame would reach below `low`, or the registers cannot be saved here. errno is body's to keep. */
bool preempt_inject(void *context, uintptr_t low, void (*body)(void));

/* What the check of a function leads to, once it was given here: a call on the stack of the
 * function at pc, which was about to begin and wants `frame` bytes below sp; at sp lies its return
 * address. Before that, and with rounding changed, the function just begins. NULL: nothing. */
void preempt_entered(void (*body)(uintptr_t pc, uintptr_t sp, size_t frame));

/* In async_preempt, behind its call of body: where an unwinder finds the interrupted code below. */
extern const char async_preempt_called[];

#endif
