/* SPDX-License-Identifier: BSD-3-Clause
 * stackscan.h - is the whole stack ours? May the goroutine on it be switched out by force?
 */
#ifndef QUOIT_SCHED_STACKSCAN_H
#define QUOIT_SCHED_STACKSCAN_H

#include <stdbool.h>
#include <stdint.h>

/* Once, before the first question. */
void stackscan_init(void);

/* Now and then, by a thread that stands in no other code: forgets what was found out about code
 * that has been unloaded. Nothing is wrong without, but a goroutine whose code came to lie where
 * other code has been may be told no for ever. */
void stackscan_refresh(void);

/* The library's own code. Where the floors are linked into a program directly, that which a
 * goroutine is called by. */
bool is_own_code(uintptr_t address);

/* Whether pc and every return address in [sp, top) lie in code that may go on in another thread:
 * functions that prologue.h calls ours, and the library's own. It may say no where yes was true,
 * never yes where no was. For the thread that runs on that stack or was interrupted there, in a
 * signal handler too; it keeps errno. */
bool stack_is_ours(uintptr_t pc, uintptr_t sp, uintptr_t top);

#endif
