/* SPDX-License-Identifier: BSD-3-Clause
 * patterns.S - fills every register of x86_64, waits to be interrupted, and says what is there then
 *
 * uint64_t patterns(int level): patterns_in is loaded, and until patterns_hit is set the general
 * registers, a flag and the red zone are compared with it over and over; the vectors go to
 * patterns_out. Returns 0, or the number of what was wrong. level: 0 sse, 1 avx, 2 avx-512.
 */
#include "patterns.h"

    .text
    .macro vectors op, reg, count, in
    .set i, 0
    .rept \count
    vector_one \op, \reg, %i, \in
    .set i, i + 1
    .endr
    .endm
    .altmacro
    .macro vector_one op, reg, i, in
    .if \in
    \op patterns_in + PATTERN_VECTORS + 64 * \i(%rip), %\reg\i
    .else
    \op %\reg\i, patterns_out + PATTERN_VECTORS + 64 * \i(%rip)
    .endif
    .endm

    .macro wipe_one i
    vpternlogd $0xff, %zmm\i, %zmm\i, %zmm\i
    .endm

    .macro compare number, reg
    cmpq patterns_in + 8 * \number(%rip), %\reg
    movl $\number + 1, code(%rip)
    jne 9f
    .endm

    .globl patterns
    .hidden patterns
    .type patterns, @function
    .p2align 5
patterns:
    .cfi_startproc
    endbr64
    .irp reg, rbp, rbx, r12, r13, r14, r15
    pushq %\reg
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset %\reg, 0
    .endr
    .irp at, 0, 1, 2, 3, 4, 5, 6, 7
    fldt patterns_in + PATTERN_X87 + 16 * \at(%rip)
    .endr
    ldmxcsr patterns_in + PATTERN_MXCSR(%rip)
    cmpl $1, %edi
    movl %edi, level(%rip)
    jb 1f
    je 2f
    vectors vmovdqu64, zmm, 32, 1
    .irp i, 0, 1, 2, 3, 4, 5, 6, 7
    kmovw patterns_in + PATTERN_MASKS + 8 * \i(%rip), %k\i
    .endr
    jmp 3f
2:  vectors vmovdqu, ymm, 16, 1
    jmp 3f
1:  vectors movdqu, xmm, 16, 1
3:
    .set i, 0
    .irp reg, rax, rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15
    movq patterns_in + 8 * i(%rip), %\reg
    .set i, i + 1
    .endr
    /* In the red zone: nobody writes above or in it. */
    movq %rax, -8(%rsp)
    movq %rbx, -RED_ZONE_BYTES(%rsp)
4:
    .set i, 0
    .irp reg, rax, rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15
    compare %i, \reg
    .set i, i + 1
    .endr
    movl $PATTERN_ZONE, code(%rip)
    cmpq %rax, -8(%rsp)
    jne 9f
    cmpq %rbx, -RED_ZONE_BYTES(%rsp)
    jne 9f
    movl $PATTERN_FLAG, code(%rip)
    stc
    .rept 16
    nop
    jnc 9f
    .endr
    cmpl $0, patterns_hit(%rip)
    je 4b
    movl $0, code(%rip)
9:
    movl level(%rip), %edi
    cmpl $1, %edi
    jb 1f
    je 2f
    vectors vmovdqu64, zmm, 32, 0
    .irp i, 0, 1, 2, 3, 4, 5, 6, 7
    kmovw %k\i, patterns_out + PATTERN_MASKS + 8 * \i(%rip)
    .endr
    vzeroupper
    jmp 3f
2:  vectors vmovdqu, ymm, 16, 0
    vzeroupper
    jmp 3f
1:  vectors movdqu, xmm, 16, 0
3:
    stmxcsr patterns_out + PATTERN_MXCSR(%rip)
    .irp at, 7, 6, 5, 4, 3, 2, 1, 0
    fstpt patterns_out + PATTERN_X87 + 16 * \at(%rip)
    .endr
    .irp reg, r15, r14, r13, r12, rbx, rbp
    popq %\reg
    .cfi_adjust_cfa_offset -8
    .cfi_restore %\reg
    .endr
    movl code(%rip), %eax
    ret
    .cfi_endproc
    .size patterns, .-patterns

/* void patterns_wipe(int level): leaves nothing in any register as it was, but for those that a
 * call preserves. */
    .globl patterns_wipe
    .hidden patterns_wipe
    .type patterns_wipe, @function
    .p2align 5
patterns_wipe:
    .cfi_startproc
    endbr64
    fninit
    ldmxcsr default_mxcsr(%rip)
    cmpl $1, %edi
    jb 1f
    je 2f
    .set i, 0
    .rept 32
    wipe_one %i
    .set i, i + 1
    .endr
    .irp i, 0, 1, 2, 3, 4, 5, 6, 7
    kxnorw %k\i, %k\i, %k\i
    .endr
    vzeroupper
    jmp 3f
2:  vzeroall
    jmp 3f
1:  .irp i, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    pxor %xmm\i, %xmm\i
    .endr
3:  .irp reg, rax, rcx, rdx, rsi, rdi, r8, r9, r10, r11
    movq $-1, %\reg
    .endr
    ret
    .cfi_endproc
    .size patterns_wipe, .-patterns_wipe

    .section .rodata
    .p2align 2
default_mxcsr:
    .long 0x1f80

    .bss
    .p2align 6
    .irp name, patterns_in, patterns_out
    .globl \name
    .hidden \name
\name:
    .zero PATTERN_BYTES
    .endr
    .globl patterns_hit
    .hidden patterns_hit
patterns_hit:
    .zero 4
level:
    .zero 4
code:
    .zero 4

    .section .note.GNU-stack, "", @progbits
