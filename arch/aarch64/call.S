/* SPDX-License-Identifier: BSD-3-Clause
 * call.S - a call that can be returned from out of any depth, on aarch64
 *
 * The frame is that of context_switch, so that context_switch can resume it.
 */
#include "context_arch.h"

    .text
/* int context_call(struct context *back, int (*fn)(void *), void *arg) */
    .globl context_call
    .hidden context_call
    .type context_call, %function
    .p2align 5
context_call:
    .cfi_startproc
    hint #34 /* bti c */
    stp x29, x30, [sp, #-CONTEXT_FRAME]!
    .cfi_adjust_cfa_offset CONTEXT_FRAME
    .cfi_rel_offset x29, CONTEXT_FP
    .cfi_rel_offset x30, CONTEXT_FP + 8
    stp x19, x20, [sp, #CONTEXT_X19]
    .cfi_rel_offset x19, CONTEXT_X19
    .cfi_rel_offset x20, CONTEXT_X19 + 8
    stp x21, x22, [sp, #CONTEXT_X19 + 16]
    .cfi_rel_offset x21, CONTEXT_X19 + 16
    .cfi_rel_offset x22, CONTEXT_X19 + 24
    stp x23, x24, [sp, #CONTEXT_X19 + 32]
    .cfi_rel_offset x23, CONTEXT_X19 + 32
    .cfi_rel_offset x24, CONTEXT_X19 + 40
    stp x25, x26, [sp, #CONTEXT_X19 + 48]
    .cfi_rel_offset x25, CONTEXT_X19 + 48
    .cfi_rel_offset x26, CONTEXT_X19 + 56
    stp x27, x28, [sp, #CONTEXT_X19 + 64]
    .cfi_rel_offset x27, CONTEXT_X19 + 64
    .cfi_rel_offset x28, CONTEXT_X19 + 72
    stp d8, d9, [sp, #CONTEXT_D8]
    stp d10, d11, [sp, #CONTEXT_D8 + 16]
    stp d12, d13, [sp, #CONTEXT_D8 + 32]
    stp d14, d15, [sp, #CONTEXT_D8 + 48]
    mov x9, sp
    str x9, [x0, #CONTEXT_SP]
    mov x9, x1
    mov x0, x2
    blr x9
    /* fn has kept the other registers; only an early return has to load them. */
    ldp x29, x30, [sp], #CONTEXT_FRAME
    .cfi_adjust_cfa_offset -CONTEXT_FRAME
    .cfi_restore x29
    .cfi_restore x30
    ret
    .cfi_endproc
    .size context_call, .-context_call

    .section .note.GNU-stack, "", %progbits
