/* SPDX-License-Identifier: BSD-3-Clause
 * preempt.c - what preempt.S saves, and how a signal's context is made to call it, on x86_64
 *
 * The kernel says in each signal frame which components of the cpu's state there are for this
 * process, and which of them are not initial. Only the latter are saved, and on the way back the
 * others are made initial again, whatever ran meanwhile: so code that uses no AVX-512 and no tiles
 * needs no room for them.
 *
 * Tried and dropped: room for everything that the cpu has (11 KiB of stack where it has tiles).
 */
#include "preempt.h"

#include <cpuid.h>
#include <signal.h>
#include <stddef.h>
#include <ucontext.h>

/* <asm/ucontext.h> and <asm/sigcontext.h> cannot stand beside libc's headers: a flag of theirs, and
 * where the last 48 bytes of the legacy area are. */
#define UC_FP_XSTATE 1
#define SW_RESERVED 464

#define CPUID_XSAVE 0xd
#define XSAVE_COMPONENTS 63
#define XSAVE_ALIGNED 2 /* of a component: it begins on a multiple of XSAVE_ALIGN */

enum component { X87 = 1 << 0, SSE = 1 << 1, AVX = 1 << 2, ZMM_LOW = 1 << 6 };

/* mxcsr without its flags of what has happened, and the x87 control word. */
#define MXCSR_CONTROL 0xffc0
#define DEFAULT_MXCSR 0x1f80
#define DEFAULT_X87 0x37f

void async_preempt(void);
void preempt_enter(uintptr_t pc, uintptr_t sp, size_t frame);

/* Read by preempt.S. */
extern bool preempt_compact;
extern uint64_t preempt_arguments, preempt_arguments_bytes;
extern void (*preempt_body)(uintptr_t pc, uintptr_t sp, size_t frame);

bool preempt_compact;
uint64_t preempt_arguments;
uint64_t preempt_arguments_bytes;
void (*preempt_body)(uintptr_t pc, uintptr_t sp, size_t frame);

static struct component_at {
    uint32_t size, offset; /* bytes; where it is if not packed */
    bool aligned;
} component[XSAVE_COMPONENTS];

static uint64_t all; /* components that the kernel has switched on, 0: no xsave */
static uint32_t mxcsr = DEFAULT_MXCSR;
static uint32_t x87 = DEFAULT_X87;

_Static_assert(offsetof(struct inject_frame, mask) == INJECT_MASK, "preempt.S reads elsewhere");
_Static_assert(offsetof(struct inject_frame, restore) == INJECT_RESTORE, "the same");
_Static_assert(offsetof(struct inject_frame, bytes) == INJECT_BYTES, "the same");
_Static_assert(offsetof(struct inject_frame, body) == INJECT_BODY, "the same");
_Static_assert(offsetof(struct inject_frame, pc) == INJECT_PC, "the same");
_Static_assert(sizeof(struct inject_frame) == INJECT_FRAME, "the same");

/* What an area for these takes. The order of components is that of their numbers. */
static size_t xsave_bytes(uint64_t mask)
{
    size_t end = XSAVE_LEGACY + XSAVE_HEADER;

    for (int i = 2; i < XSAVE_COMPONENTS; i++) {
        const struct component_at *c = &component[i];

        if (!(mask >> i & 1))
            continue;
        if (!preempt_compact) {
            if (end < c->offset + (size_t)c->size)
                end = c->offset + (size_t)c->size;
            continue;
        }
        if (c->aligned)
            end = (end + XSAVE_ALIGN - 1) & ~(size_t)(XSAVE_ALIGN - 1);
        end += c->size;
    }
    return end;
}

static uint64_t enabled_components(void)
{
    uint32_t low, high;

    __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (uint64_t)high << 32 | low;
}

static uint32_t current_mxcsr(void)
{
    return __builtin_ia32_stmxcsr() & MXCSR_CONTROL;
}

static uint32_t current_x87(void)
{
    uint16_t word;

    __asm__ volatile("fnstcw %0" : "=m"(word));
    return word;
}

void preempt_init(void)
{
    uint32_t a, b, c, d;

    mxcsr = current_mxcsr();
    x87 = current_x87();
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE))
        return;
    all = enabled_components();
    __cpuid_count(CPUID_XSAVE, 1, a, b, c, d);
    preempt_compact = a & bit_XSAVEC;
    for (uint32_t i = 2; i < XSAVE_COMPONENTS; i++) {
        if (!(all >> i & 1))
            continue;
        __cpuid_count(CPUID_XSAVE, i, a, b, c, d);
        component[i] = (struct component_at){
            .size = a, .offset = b, .aligned = c & XSAVE_ALIGNED
        };
    }
    preempt_arguments = all & (X87 | SSE | AVX | ZMM_LOW);
    preempt_arguments_bytes = xsave_bytes(preempt_arguments);
}

static size_t room(uint64_t mask)
{
    return RED_ZONE + INJECT_FRAME + PUSHED + XSAVE_ALIGN + xsave_bytes(mask);
}

size_t preempt_room(void)
{
    return room(all);
}

/* What the kernel wrote behind the registers that every cpu has; NULL: only those were saved. */
static const struct _fpx_sw_bytes *extended_state(const ucontext_t *uc)
{
    const char *state = (const void *)uc->uc_mcontext.fpregs;
    const struct _fpx_sw_bytes *extended = (const void *)(state + SW_RESERVED);

    if (!(uc->uc_flags & UC_FP_XSTATE) || state == NULL || extended->magic1 != FP_XSTATE_MAGIC1)
        return NULL;
    return extended;
}

bool preempt_inject(void *context, uintptr_t low, void (*body)(void))
{
    ucontext_t *uc = context;
    const struct _fpx_sw_bytes *extended = extended_state(uc);
    const struct _xstate *state = (const void *)uc->uc_mcontext.fpregs;
    greg_t *reg = uc->uc_mcontext.gregs;
    uintptr_t sp = (uintptr_t)reg[REG_RSP];
    struct inject_frame *frame;
    uint64_t mask;

    if (extended == NULL || (extended->xstate_bv & ~all) != 0)
        return false;
    if ((state->fpstate.mxcsr & MXCSR_CONTROL) != mxcsr || state->fpstate.cwd != x87)
        return false;
    /* mxcsr is no part of what a component that is initial says. */
    mask = (state->xstate_hdr.xstate_bv | X87 | SSE | AVX) & extended->xstate_bv;
    if (sp < low || sp - low < room(mask))
        return false;
    frame = (struct inject_frame *)(sp - RED_ZONE) - 1;
    *frame = (struct inject_frame){
        .mask = mask,
        .restore = extended->xstate_bv,
        .bytes = xsave_bytes(mask),
        .body = body,
        .pc = (uintptr_t)reg[REG_RIP],
    };
    reg[REG_RSP] = (greg_t)(uintptr_t)frame;
    reg[REG_RIP] = (greg_t)(uintptr_t)async_preempt;
    return true;
}

void preempt_entered(void (*body)(uintptr_t pc, uintptr_t sp, size_t frame))
{
    preempt_body = body;
}

/* Called by quoit_preempt_enter_. */
void preempt_enter(uintptr_t pc, uintptr_t sp, size_t frame)
{
    if (current_mxcsr() == mxcsr && current_x87() == x87)
        preempt_body(pc, sp, frame);
}
