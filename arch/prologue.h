/* SPDX-License-Identifier: BSD-3-Clause
 * prologue.h - what a function's instructions say: may it be interrupted, and go on elsewhere?
 *
 * Ours are functions that begin with the check of split stacks, where that leads to
 * libquoit_preempt.a: only code whose author asked for it has it. And of those only the ones that
 * do not depend on their thread. The instructions are decoded one by one from the first to the
 * last, so nothing is taken for an instruction that is none; a function that has one which is not
 * known is not ours. For signal handlers, as object.h.
 *
 * Depends on its thread:
 *
 *     %fs: or %gs:    but for the canary (the same word in each thread) and the guard
 *     a call of       __tls_get_addr, __errno_location, pthread_self and the like (prologue.c),
 *                     directly or by way of a linkage table
 *     syscall         what the kernel is asked may be about the thread
 *
 * Not seen: such an address, or the thread's id, got through a pointer to a function, or kept from
 * a function of one's own that returns it.
 */
#ifndef QUOIT_ARCH_PROLOGUE_H
#define QUOIT_ARCH_PROLOGUE_H

#include "object.h"

/* f begins with the check. */
bool prologue_checks(const struct object *o, const struct function *f);

/* And none of its instructions depends on the thread. */
bool prologue_is_ours(const struct object *o, const struct function *f);

/* A call may have left this address on the stack: it is in o's code, behind a call; or it is where
 * a signal handler returns to. */
bool prologue_returns_to(const struct object *o, uintptr_t address);

#endif
