/* SPDX-License-Identifier: BSD-3-Clause
 * signal_arch.h - what a signal interrupted, on aarch64
 */
#ifndef QUOIT_SIGNAL_ARCH_H
#define QUOIT_SIGNAL_ARCH_H

#include <stdint.h>
#include <ucontext.h>

/* The instruction that the third argument of a handler was made at. */
static inline uintptr_t signal_pc(const void *context)
{
    return (uintptr_t)((const ucontext_t *)context)->uc_mcontext.pc;
}

/* And the stack pointer. */
static inline uintptr_t signal_sp(const void *context)
{
    return (uintptr_t)((const ucontext_t *)context)->uc_mcontext.sp;
}

#endif
