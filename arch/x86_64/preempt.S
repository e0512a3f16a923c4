/* SPDX-License-Identifier: BSD-3-Clause
 * preempt.S - calls that running code does not know of, on x86_64
 *
 * Everything that the code may hold in a register is pushed, vectors by xsave below it, and put
 * back. rbp holds the frame meanwhile, as a called C function preserves it on whatever thread it
 * returns. The unwind tables say where the pushed registers are, so a debugger walks on into the
 * interrupted code.
 */
#include "preempt_arch.h"

    .text
    .macro push_reg reg
    pushq %\reg
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset %\reg, 0
    .endm

    .macro pop_reg reg
    popq %\reg
    .cfi_adjust_cfa_offset -8
    .cfi_restore %\reg
    .endm

/* Components of rcx, rdx bytes of them, to below rsp; clobbers rax and rdx, leaves an aligned rsp.
 * The header is cleared first: xsave wants to find it so, and xsavec writes all that it reads. */
    .macro save_vectors
    subq %rdx, %rsp
    andq $-XSAVE_ALIGN, %rsp
    xorl %eax, %eax
    .irp at, 0, 8, 16, 24, 32, 40, 48, 56
    movq %rax, XSAVE_LEGACY + \at(%rsp)
    .endr
    movl %ecx, %eax
    movq %rcx, %rdx
    shrq $32, %rdx
    cmpb $0, preempt_compact(%rip)
    je 1f
    xsavec64 (%rsp)
    jmp 2f
1:  xsave64 (%rsp)
2:
    .endm

/* Those of rcx; what was not saved becomes initial. */
    .macro load_vectors
    movl %ecx, %eax
    movq %rcx, %rdx
    shrq $32, %rdx
    xrstor64 (%rsp)
    .endm

/* Entered in place of the interrupted instruction, with a struct inject_frame at rsp. */
    .globl async_preempt
    .hidden async_preempt
    .type async_preempt, @function
    .p2align 5
async_preempt:
    .cfi_startproc
    /* The place below was not called from: unwinders must not look at the instruction before. */
    .cfi_signal_frame
    .cfi_def_cfa %rsp, INJECT_FRAME + RED_ZONE
    .cfi_offset %rip, INJECT_PC - INJECT_FRAME - RED_ZONE
    pushfq
    .cfi_adjust_cfa_offset 8
    .irp reg, rbp, rax, rbx, rcx, rdx, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15
    push_reg \reg
    .endr
    cld
    movq %rsp, %rbp
    .cfi_def_cfa_register %rbp
    movq PUSHED + INJECT_MASK(%rbp), %rcx
    movq PUSHED + INJECT_BYTES(%rbp), %rdx
    save_vectors
    callq *PUSHED + INJECT_BODY(%rbp)
    .globl async_preempt_called
    .hidden async_preempt_called
async_preempt_called:
    movq PUSHED + INJECT_RESTORE(%rbp), %rcx
    load_vectors
    movq %rbp, %rsp
    .cfi_def_cfa_register %rsp
    .irp reg, r15, r14, r13, r12, r11, r10, r9, r8, rdi, rsi, rdx, rcx, rbx, rax, rbp
    pop_reg \reg
    .endr
    popfq
    .cfi_adjust_cfa_offset -8
    leaq INJECT_PC(%rsp), %rsp
    .cfi_adjust_cfa_offset -INJECT_PC
    ret $RED_ZONE
    .cfi_endproc
    .size async_preempt, .-async_preempt

/* Called by __morestack (morestack.S) first thing, with the size of a frame in r10. Keeps all
 * registers but r10, r11 and the flags. A function's arguments are all that it can find in vector
 * registers, so the others are not saved. */
    .globl quoit_preempt_enter_
    .type quoit_preempt_enter_, @function
    .p2align 5
quoit_preempt_enter_:
    .cfi_startproc
    endbr64
    push_reg rbp
    movq %rsp, %rbp
    .cfi_def_cfa_register %rbp
    movq preempt_body(%rip), %r11
    testq %r11, %r11
    jz 9f
    pushq %rax
    pushq %rcx
    pushq %rdx
    pushq %rsi
    pushq %rdi
    pushq %r8
    pushq %r9
    movq preempt_arguments(%rip), %rcx
    movq preempt_arguments_bytes(%rip), %rdx
    save_vectors
    /* Above rbp: the return address into __morestack, and that of __morestack. */
    movq 16(%rbp), %rdi
    leaq 24(%rbp), %rsi
    movq %r10, %rdx
    callq preempt_enter
    movq preempt_arguments(%rip), %rcx
    load_vectors
    leaq -56(%rbp), %rsp
    popq %r9
    popq %r8
    popq %rdi
    popq %rsi
    popq %rdx
    popq %rcx
    popq %rax
9:  popq %rbp
    .cfi_def_cfa %rsp, 8
    .cfi_restore %rbp
    ret
    .cfi_endproc
    .size quoit_preempt_enter_, .-quoit_preempt_enter_

    .section .note.GNU-stack, "", @progbits

/* GNU_PROPERTY_X86_FEATURE_1_AND: IBT (bit 0) without SHSTK (bit 1). */
    .section .note.gnu.property, "a", @note
    .p2align 3
    .long 4, 16, 5
    .asciz "GNU"
    .long 0xc0000002, 4, 1, 0
