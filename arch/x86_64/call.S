/* SPDX-License-Identifier: BSD-3-Clause
 * call.S - a call that can be returned from out of any depth, on x86_64
 */
#include "context_arch.h"

    .text
/* int context_call(struct context *back, int (*fn)(void *), void *arg) */
    .globl context_call
    .hidden context_call
    .type context_call, @function
    .p2align 5
context_call:
    .cfi_startproc
    endbr64
    .irp reg, rbp, rbx, r12, r13, r14, r15
    pushq %\reg
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset %\reg, 0
    .endr
    movq %rsp, CONTEXT_SP(%rdi)
    subq $8, %rsp
    .cfi_adjust_cfa_offset 8
    movq %rdx, %rdi
    callq *%rsi
    /* fn has kept the other registers; only an early return has to load them. */
    addq $56, %rsp
    .cfi_adjust_cfa_offset -56
    .irp reg, r15, r14, r13, r12, rbx, rbp
    .cfi_restore %\reg
    .endr
    ret
    .cfi_endproc
    .size context_call, .-context_call

    .section .note.GNU-stack, "", @progbits
