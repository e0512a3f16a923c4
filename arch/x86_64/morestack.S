/* SPDX-License-Identifier: BSD-3-Clause
 * morestack.S - what the check of split stacks calls when it fails: for libquoit_preempt.a
 *
 * Nothing is split. The function begins on the stack that it has, after the library was asked
 * (quoit_preempt_enter_) whether the goroutine has to give way, or has run out of stack.
 *
 * Called with the stack as at the function's entry, below it the return address into its prologue,
 * r10 the size of its frame and r11 that of its arguments on the stack. All other registers may
 * hold arguments. At the return address stands a ret that libgcc would have the body return to;
 * behind it the body begins. In a function with variable arguments gcc puts there
 *
 *     [endbr64]  [mov %rax,%r10]  lea 0x18(%rbp),%r11  jmp to the body
 *     lea 8(%rsp),%r11
 *     body:
 *
 * and means by rbp the frame of libgcc's __morestack, with the old stack's arguments above. So the
 * lea is done here, for our stack, and the body begins behind it. (The mov is there when the static
 * chain, which is r10's, was saved in rax.)
 *
 * gold and lld make functions that call other code come here every time, as
 * __morestack_non_split, to have a large stack. Ours is large; so that path only looks whether
 * something is wanted.
 *
 * The large code model calls something else (__morestack_large_model), which is not there, so it
 * does not link: such a function could not be told from others by its call.
 *
 * We return to where we were called plus one, by a ret: one misprediction, and the cpu's stack of
 * return addresses stays in step.
 */
#include "morestack.h"
#include "preempt_arch.h"

/* What may stand behind the ret, as little-endian numbers. */
#define LANDING_PAD 0xfa1e0ff3   /* f3 0f 1e fa */
#define LEA_ARGUMENTS 0x185d8d4c /* 4c 8d 5d 18 */

    .text

/* The mark, and an entry that begins 16 bytes aligned behind it. */
    .macro entry name
    .p2align 4
    .zero 8
    .ascii MORESTACK_MARK
    .globl \name
    .hidden \name
    .type \name, @function
\name:
    .cfi_startproc
    endbr64
    .endm

    .macro entry_ends name
    .cfi_endproc
    .size \name, .-\name
    .endm

/* Back into the function; r10 and r11 are free. */
    .macro begin_function
    movq (%rsp), %r10
    movl $1, %r11d
    cmpl $LANDING_PAD, 1(%r10)
    jne 6f
    addl $4, %r11d
6:  cmpl $LEA_ARGUMENTS, (%r10, %r11)
    je 8f
    cmpl $LEA_ARGUMENTS, 3(%r10, %r11)
    je 7f
    incq (%rsp)
    ret
    /* Only behind that mov: no other code makes this of rbp before it has saved it. */
7:  addl $3, %r11d
    addq %r11, (%rsp)
    movq %rax, %r10
    jmp 9f
8:  addq %r11, (%rsp)
9:  leaq 16(%rsp), %r11
    addq $4, (%rsp)
    ret
    .endm

entry __morestack
    callq *quoit_preempt_enter_@GOTPCREL(%rip)
    begin_function
entry_ends __morestack

entry __morestack_non_split
    /* r10 is what it wants below its frame; the linkers leave it as it was. */
    movq %rsp, %r11
    subq %r10, %r11
    cmpq %fs:GUARD_OFFSET, %r11
    jbe __morestack
    begin_function
entry_ends __morestack_non_split

/* void *__morestack_allocate_stack_space(size_t bytes), called by the body of a function for an
 * array of variable length, or alloca, when the guard says that there is no room. There is: it
 * lowers the caller's stack pointer, as the other branch of the caller would. At its bottom may be
 * arguments for calls to come, and they must stay at the stack pointer; they are part of what lies
 * between it and the caller's frame pointer, which a function of this kind always has, so that much
 * is left free below the new room. Such arguments are only there in functions that align their
 * stack, or on cpus of long ago, but nothing says in which. */
entry __morestack_allocate_stack_space
    leaq 15(%rdi), %rax
    andq $-16, %rax
    leaq 15+8(%rbp), %rcx
    subq %rsp, %rcx
    andq $-16, %rcx
    leaq (%rax, %rcx), %r10
    /* The stack stays as it is at a function's entry; rax and rcx are kept. */
    callq *quoit_preempt_enter_@GOTPCREL(%rip)
    popq %rdx
    .cfi_adjust_cfa_offset -8
    .cfi_register %rip, %rdx
    subq %rax, %rsp
    movq %rsp, %rax
    subq %rcx, %rsp
    notrack jmpq *%rdx
entry_ends __morestack_allocate_stack_space

    .section .note.GNU-stack, "", @progbits
/* For the linkers that look: this object may call and be called by either kind. */
    .section .note.GNU-split-stack, "", @progbits
    .section .note.GNU-no-split-stack, "", @progbits

/* GNU_PROPERTY_X86_FEATURE_1_AND: IBT (bit 0) without SHSTK (bit 1). */
    .section .note.gnu.property, "a", @note
    .p2align 3
    .long 4, 16, 5
    .asciz "GNU"
    .long 0xc0000002, 4, 1, 0
