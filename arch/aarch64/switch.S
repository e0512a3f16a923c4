/* SPDX-License-Identifier: BSD-3-Clause
 * switch.S - from one stack to another on aarch64
 *
 * The unwind tables say at each instruction where the caller's registers are. After the stack
 * pointer has changed they describe the frame of the resumed side, which was filled by the same
 * code, so the same rule holds.
 *
 * x18 belongs to the platform and is never touched. The return address is stored unsigned: a caller
 * with pac-ret has signed and stored its own before it came here.
 */
#include "context_arch.h"

    .macro save_pair a, b, at
    stp \a, \b, [sp, #\at]
    .cfi_rel_offset \a, \at
    .cfi_rel_offset \b, \at + 8
    .endm

    .macro save_caller
    stp x29, x30, [sp, #-CONTEXT_FRAME]!
    .cfi_adjust_cfa_offset CONTEXT_FRAME
    .cfi_rel_offset x29, CONTEXT_FP
    .cfi_rel_offset x30, CONTEXT_FP + 8
    save_pair x19, x20, CONTEXT_X19
    save_pair x21, x22, CONTEXT_X19 + 16
    save_pair x23, x24, CONTEXT_X19 + 32
    save_pair x25, x26, CONTEXT_X19 + 48
    save_pair x27, x28, CONTEXT_X19 + 64
    save_pair d8, d9, CONTEXT_D8
    save_pair d10, d11, CONTEXT_D8 + 16
    save_pair d12, d13, CONTEXT_D8 + 32
    save_pair d14, d15, CONTEXT_D8 + 48
    mov x9, sp
    str x9, [x0, #CONTEXT_SP]
    .endm

    .macro forget_pair a, b
    .cfi_restore \a
    .cfi_restore \b
    .endm

    /* A slot keeps its value until sp passes it, so the tables change only there. */
    .macro forget_frame
    .cfi_adjust_cfa_offset -CONTEXT_FRAME
    forget_pair x29, x30
    forget_pair x19, x20
    forget_pair x21, x22
    forget_pair x23, x24
    forget_pair x25, x26
    forget_pair x27, x28
    forget_pair d8, d9
    forget_pair d10, d11
    forget_pair d12, d13
    forget_pair d14, d15
    .endm

    .text
/* void *context_switch(struct context *from, const struct context *to, void *arg) */
    .globl context_switch
    .hidden context_switch
    .type context_switch, %function
    .p2align 5
context_switch:
    .cfi_startproc
    hint #34 /* bti c */
    save_caller
    ldr x9, [x1, #CONTEXT_SP]
    mov sp, x9
/* The tables of this place, with sp as saved, describe a parked stack: debuggers start here. */
    .globl context_parked
    .hidden context_parked
context_parked:
    mov x0, x2
    ldp d14, d15, [sp, #CONTEXT_D8 + 48]
    ldp d12, d13, [sp, #CONTEXT_D8 + 32]
    ldp d10, d11, [sp, #CONTEXT_D8 + 16]
    ldp d8, d9, [sp, #CONTEXT_D8]
    ldp x27, x28, [sp, #CONTEXT_X19 + 64]
    ldp x25, x26, [sp, #CONTEXT_X19 + 48]
    ldp x23, x24, [sp, #CONTEXT_X19 + 32]
    ldp x21, x22, [sp, #CONTEXT_X19 + 16]
    ldp x19, x20, [sp, #CONTEXT_X19]
    ldp x29, x30, [sp], #CONTEXT_FRAME
    forget_frame
    ret
    .cfi_endproc
    .size context_switch, .-context_switch

/* void *context_begin(struct context *from, void *top, void (*entry)(void *), void *arg) */
    .globl context_begin
    .hidden context_begin
    .type context_begin, %function
    .p2align 5
context_begin:
    .cfi_startproc
    hint #34 /* bti c */
    save_caller
    mov sp, x1
    /* Nothing above: a return address that cannot be found ends every backtrace here. */
    .cfi_def_cfa sp, 0
    .cfi_undefined x30
    mov x29, xzr
    mov x0, x3
    blr x2
    brk #1
    .cfi_endproc
    .size context_begin, .-context_begin

/* int context_call(struct context *back, int (*fn)(void *), void *arg) */
    .globl context_call
    .hidden context_call
    .type context_call, %function
    .p2align 5
context_call:
    .cfi_startproc
    hint #34 /* bti c */
    save_caller
    mov x0, x2
    blr x1
    .globl context_called
    .hidden context_called
context_called:
    /* fn has kept the registers; only an early return, by context_switch, has to load them. */
    ldp x29, x30, [sp], #CONTEXT_FRAME
    forget_frame
    ret
    .cfi_endproc
    .size context_call, .-context_call

    .macro saved_pair a, b, at
    .cfi_offset \a, \at - CONTEXT_FRAME
    .cfi_offset \b, \at + 8 - CONTEXT_FRAME
    .endm

/* void context_show(const struct context *parked, void (*fn)(void *), void *arg) */
    .globl context_show
    .hidden context_show
    .type context_show, %function
    .p2align 5
context_show:
    .cfi_startproc
    hint #34 /* bti c */
    stp x29, x30, [sp, #-16]!
    .cfi_adjust_cfa_offset 16
    .cfi_rel_offset x29, 0
    .cfi_rel_offset x30, 8
    ldr x29, [x0, #CONTEXT_SP]
    mov x0, x2
    .cfi_remember_state
    /* The frame of save_caller over there, as if it had called fn. */
    .cfi_def_cfa x29, CONTEXT_FRAME
    saved_pair x29, x30, CONTEXT_FP
    saved_pair x19, x20, CONTEXT_X19
    saved_pair x21, x22, CONTEXT_X19 + 16
    saved_pair x23, x24, CONTEXT_X19 + 32
    saved_pair x25, x26, CONTEXT_X19 + 48
    saved_pair x27, x28, CONTEXT_X19 + 64
    saved_pair d8, d9, CONTEXT_D8
    saved_pair d10, d11, CONTEXT_D8 + 16
    saved_pair d12, d13, CONTEXT_D8 + 32
    saved_pair d14, d15, CONTEXT_D8 + 48
    blr x1
    .cfi_restore_state
    ldp x29, x30, [sp], #16
    .cfi_adjust_cfa_offset -16
    .cfi_restore x29
    .cfi_restore x30
    ret
    .cfi_endproc
    .size context_show, .-context_show

/* void context_tail(void (*fn)(void *), void *arg) */
    .globl context_tail
    .hidden context_tail
    .type context_tail, %function
    .p2align 5
context_tail:
    .cfi_startproc
    hint #34 /* bti c */
    stp x29, x30, [sp, #-16]!
    .cfi_adjust_cfa_offset 16
    .cfi_rel_offset x29, 0
    .cfi_rel_offset x30, 8
    mov x9, x0
    mov x0, x1
    blr x9
    ldp x29, x16, [sp], #16
    .cfi_adjust_cfa_offset -16
    .cfi_restore x29
    .cfi_register x30, x16
    /* Not `ret`: the return predictor would be asked. Through x16 a guarded page lets it pass. */
    br x16
    .cfi_endproc
    .size context_tail, .-context_tail

    .section .note.GNU-stack, "", %progbits

/* BTI but not PAC: GNU_PROPERTY_AARCH64_FEATURE_1_AND with its first bit. */
    .section .note.gnu.property, "a", %note
    .p2align 3
    .long 4, 16, 5
    .asciz "GNU"
    .long 0xc0000000, 4, 1, 0
