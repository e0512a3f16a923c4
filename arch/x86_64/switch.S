/* SPDX-License-Identifier: BSD-3-Clause
 * switch.S - from one stack to another on x86_64
 *
 * The unwind tables say at each instruction where the caller's registers are. After the stack
 * pointer has changed they describe the frame of the resumed side, which was pushed by the same
 * code, so the same rule holds.
 *
 * Shadow stacks are not switched, so this object does not claim them: a process that links it runs
 * without. Indirect branch tracking it does allow.
 */
#include "context_arch.h"

    .text
    .macro save_caller
    pushq %rbp
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset %rbp, 0
    pushq %rbx
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset %rbx, 0
    pushq %r12
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset %r12, 0
    pushq %r13
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset %r13, 0
    pushq %r14
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset %r14, 0
    pushq %r15
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset %r15, 0
    movq %rsp, CONTEXT_SP(%rdi)
    .endm

/* void *context_switch(struct context *from, const struct context *to, void *arg) */
    .globl context_switch
    .hidden context_switch
    .type context_switch, @function
    .p2align 5
context_switch:
    .cfi_startproc
    endbr64
    save_caller
    movq CONTEXT_SP(%rsi), %rsp
/* The tables of this place, with sp as saved, describe a parked stack: debuggers start here. */
    .globl context_parked
    .hidden context_parked
context_parked:
    movq %rdx, %rax
    popq %r15
    .cfi_adjust_cfa_offset -8
    .cfi_restore %r15
    popq %r14
    .cfi_adjust_cfa_offset -8
    .cfi_restore %r14
    popq %r13
    .cfi_adjust_cfa_offset -8
    .cfi_restore %r13
    popq %r12
    .cfi_adjust_cfa_offset -8
    .cfi_restore %r12
    popq %rbx
    .cfi_adjust_cfa_offset -8
    .cfi_restore %rbx
    popq %rbp
    .cfi_adjust_cfa_offset -8
    .cfi_restore %rbp
    ret
    .cfi_endproc
    .size context_switch, .-context_switch

/* void *context_begin(struct context *from, void *top, void (*entry)(void *), void *arg) */
    .globl context_begin
    .hidden context_begin
    .type context_begin, @function
    .p2align 5
context_begin:
    .cfi_startproc
    endbr64
    save_caller
    movq %rsi, %rsp
    /* Nothing above: a return address that cannot be found ends every backtrace here. */
    .cfi_def_cfa %rsp, 0
    .cfi_undefined %rip
    xorl %ebp, %ebp
    movq %rcx, %rdi
    callq *%rdx
    ud2
    .cfi_endproc
    .size context_begin, .-context_begin

/* int context_call(struct context *back, int (*fn)(void *), void *arg) */
    .globl context_call
    .hidden context_call
    .type context_call, @function
    .p2align 5
context_call:
    .cfi_startproc
    endbr64
    save_caller
    subq $8, %rsp
    .cfi_adjust_cfa_offset 8
    movq %rdx, %rdi
    callq *%rsi
    .globl context_called
    .hidden context_called
context_called:
    /* fn has kept the registers; only an early return, by context_switch, has to load them. */
    addq $CONTEXT_FRAME, %rsp
    .cfi_adjust_cfa_offset -CONTEXT_FRAME
    .irp reg, rbp, rbx, r12, r13, r14, r15
    .cfi_restore %\reg
    .endr
    ret
    .cfi_endproc
    .size context_call, .-context_call

/* void context_show(const struct context *parked, void (*fn)(void *), void *arg) */
    .globl context_show
    .hidden context_show
    .type context_show, @function
    .p2align 5
context_show:
    .cfi_startproc
    endbr64
    pushq %rbp
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset %rbp, 0
    movq CONTEXT_SP(%rdi), %rbp
    movq %rdx, %rdi
    .cfi_remember_state
    /* The frame of save_caller over there, as if it had called fn. */
    .cfi_def_cfa %rbp, CONTEXT_FRAME
    .cfi_offset %rbp, -16
    .cfi_offset %rbx, -24
    .cfi_offset %r12, -32
    .cfi_offset %r13, -40
    .cfi_offset %r14, -48
    .cfi_offset %r15, -56
    callq *%rsi
    .cfi_restore_state
    popq %rbp
    .cfi_adjust_cfa_offset -8
    .cfi_restore %rbp
    ret
    .cfi_endproc
    .size context_show, .-context_show

/* void context_tail(void (*fn)(void *), void *arg) */
    .globl context_tail
    .hidden context_tail
    .type context_tail, @function
    .p2align 5
context_tail:
    .cfi_startproc
    endbr64
    movq %rdi, %rax
    movq %rsi, %rdi
    subq $8, %rsp
    .cfi_adjust_cfa_offset 8
    callq *%rax
    addq $8, %rsp
    .cfi_adjust_cfa_offset -8
    popq %rcx
    .cfi_adjust_cfa_offset -8
    .cfi_register %rip, %rcx
    notrack jmpq *%rcx
    .cfi_endproc
    .size context_tail, .-context_tail

    .section .note.GNU-stack, "", @progbits

/* GNU_PROPERTY_X86_FEATURE_1_AND: IBT (bit 0) without SHSTK (bit 1). */
    .section .note.gnu.property, "a", @note
    .p2align 3
    .long 4, 16, 5
    .asciz "GNU"
    .long 0xc0000002, 4, 1, 0
