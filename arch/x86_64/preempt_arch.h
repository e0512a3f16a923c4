/* SPDX-License-Identifier: BSD-3-Clause
 * preempt_arch.h - x86_64: the stack guard of a thread, and what preempt.S is told
 *
 * gcc and clang compare the stack pointer with %fs:0x70, a word that glibc leaves to them. It is 0
 * in a thread that nobody has told otherwise, so the check never fails there.
 */
#ifndef QUOIT_PREEMPT_ARCH_H
#define QUOIT_PREEMPT_ARCH_H

#define GUARD_OFFSET 0x70

/* Of the frame that preempt_inject makes below the red zone, from the stack pointer up. */
#define INJECT_MASK 0    /* xsave components to save */
#define INJECT_RESTORE 8 /* to restore: those and what has to be initial again */
#define INJECT_BYTES 16  /* what the former need */
#define INJECT_BODY 24
#define INJECT_PC 32
#define INJECT_FRAME 40
#define RED_ZONE 128

/* Pushed by preempt.S: flags, and all registers but the stack pointer. */
#define PUSHED 128
/* Its area begins on a multiple of this. */
#define XSAVE_ALIGN 64
#define XSAVE_LEGACY 512
#define XSAVE_HEADER 64

#ifndef __ASSEMBLER__
#include <stdint.h>

#include "compiler.h"

enum { have_guard = 1 };

static always_inline uintptr_t guard_get(void)
{
    uintptr_t value;

    __asm__ volatile("movq %%fs:%c1, %0" : "=r"(value) : "i"(GUARD_OFFSET));
    return value;
}

static always_inline void guard_set(uintptr_t value)
{
    __asm__ volatile("movq %0, %%fs:%c1" : : "r"(value), "i"(GUARD_OFFSET) : "memory");
}

/* Of the calling thread, for guard_poke. */
static always_inline uintptr_t *guard_address(void)
{
    uintptr_t thread;

    __asm__ volatile("movq %%fs:0, %0" : "=r"(thread));
    return (uintptr_t *)(thread + GUARD_OFFSET);
}

struct inject_frame {
    uint64_t mask, restore, bytes;
    void (*body)(void);
    uintptr_t pc;
};
#endif

#endif
