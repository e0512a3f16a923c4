/* SPDX-License-Identifier: BSD-3-Clause
 * hop.h - a switch with a pattern in every register that it must keep
 *
 *     uint64_t hop(struct context *from, const struct context *to, uint64_t seed)
 *
 * puts seed + 1, seed + 2, ... into the registers that a call preserves, switches, and returns the
 * bits in which any of them differs afterwards; 0 is right. HOP_REGS says how many there are.
 */
#ifndef QUOIT_TESTS_HOP_H
#define QUOIT_TESTS_HOP_H

#include <stdint.h>

#include "context.h"

uint64_t hop(struct context *from, const struct context *to, uint64_t seed);

#if defined(__x86_64__)

#define HOP_REGS 6
#define FILL(n, reg) "leaq " #n "(%rdx), %" #reg "\n\t"
#define DIFF(n, reg) "leaq " #n "(%rdx), %rcx\n\txorq %" #reg ", %rcx\n\torq %rcx, %rax\n\t"
__asm__(".text\n\t"
        ".globl hop\n\t"
        ".type hop, @function\n"
        "hop:\n\t"
        "endbr64\n\t"
        "pushq %rbx\n\t"
        "pushq %rbp\n\t"
        "pushq %r12\n\t"
        "pushq %r13\n\t"
        "pushq %r14\n\t"
        "pushq %r15\n\t"
        "pushq %rdx\n\t"
        FILL(1, rbx) FILL(2, rbp) FILL(3, r12) FILL(4, r13) FILL(5, r14) FILL(6, r15)
        "callq context_switch\n\t"
        "popq %rdx\n\t"
        "xorl %eax, %eax\n\t"
        DIFF(1, rbx) DIFF(2, rbp) DIFF(3, r12) DIFF(4, r13) DIFF(5, r14) DIFF(6, r15)
        "popq %r15\n\t"
        "popq %r14\n\t"
        "popq %r13\n\t"
        "popq %r12\n\t"
        "popq %rbp\n\t"
        "popq %rbx\n\t"
        "ret\n\t"
        ".size hop, .-hop\n");

#elif defined(__aarch64__)

#define HOP_REGS 19
#define FILL(n, reg) "add " #reg ", x2, #" #n "\n\t"
#define FILLD(n, reg) "add x9, x2, #" #n "\n\tfmov " #reg ", x9\n\t"
#define DIFF(n, reg) "add x9, x2, #" #n "\n\teor x9, x9, " #reg "\n\torr x0, x0, x9\n\t"
#define DIFFD(n, reg) "fmov x10, " #reg "\n\t" DIFF(n, x10)
__asm__(".text\n\t"
        ".globl hop\n\t"
        ".type hop, %function\n"
        "hop:\n\t"
        "hint #34\n\t"
        "stp x29, x30, [sp, #-176]!\n\t"
        "stp x19, x20, [sp, #16]\n\t"
        "stp x21, x22, [sp, #32]\n\t"
        "stp x23, x24, [sp, #48]\n\t"
        "stp x25, x26, [sp, #64]\n\t"
        "stp x27, x28, [sp, #80]\n\t"
        "stp d8, d9, [sp, #96]\n\t"
        "stp d10, d11, [sp, #112]\n\t"
        "stp d12, d13, [sp, #128]\n\t"
        "stp d14, d15, [sp, #144]\n\t"
        "str x2, [sp, #160]\n\t"
        FILL(1, x19) FILL(2, x20) FILL(3, x21) FILL(4, x22) FILL(5, x23) FILL(6, x24)
        FILL(7, x25) FILL(8, x26) FILL(9, x27) FILL(10, x28) FILL(11, x29)
        FILLD(12, d8) FILLD(13, d9) FILLD(14, d10) FILLD(15, d11)
        FILLD(16, d12) FILLD(17, d13) FILLD(18, d14) FILLD(19, d15)
        "bl context_switch\n\t"
        "ldr x2, [sp, #160]\n\t"
        "mov x0, xzr\n\t"
        DIFF(1, x19) DIFF(2, x20) DIFF(3, x21) DIFF(4, x22) DIFF(5, x23) DIFF(6, x24)
        DIFF(7, x25) DIFF(8, x26) DIFF(9, x27) DIFF(10, x28) DIFF(11, x29)
        DIFFD(12, d8) DIFFD(13, d9) DIFFD(14, d10) DIFFD(15, d11)
        DIFFD(16, d12) DIFFD(17, d13) DIFFD(18, d14) DIFFD(19, d15)
        "ldp d14, d15, [sp, #144]\n\t"
        "ldp d12, d13, [sp, #128]\n\t"
        "ldp d10, d11, [sp, #112]\n\t"
        "ldp d8, d9, [sp, #96]\n\t"
        "ldp x27, x28, [sp, #80]\n\t"
        "ldp x25, x26, [sp, #64]\n\t"
        "ldp x23, x24, [sp, #48]\n\t"
        "ldp x21, x22, [sp, #32]\n\t"
        "ldp x19, x20, [sp, #16]\n\t"
        "ldp x29, x30, [sp], #176\n\t"
        "ret\n\t"
        ".size hop, .-hop\n");

#endif

/* What hop left in the frame of a parked context: the sum of seed + n over all registers. */
static uint64_t frame_sum(const struct context *c)
{
    const struct context_frame *f = c->sp;
    uint64_t sum = (uintptr_t)f->fp;

#if defined(__x86_64__)
    sum += f->rbx + f->r12 + f->r13 + f->r14 + f->r15;
#elif defined(__aarch64__)
    for (int i = 0; i < 10; i++)
        sum += f->x19[i];
    for (int i = 0; i < 8; i++)
        sum += f->d8[i];
#endif
    return sum;
}

#endif
