/* SPDX-License-Identifier: BSD-3-Clause
 * context_arch.h - a saved stack on x86_64, and the offsets that switch.S uses
 */
#ifndef QUOIT_CONTEXT_ARCH_H
#define QUOIT_CONTEXT_ARCH_H

#define CONTEXT_SP 0

/* Into struct context_frame. */
#define CONTEXT_FP 40
#define CONTEXT_FRAME 56

#ifndef __ASSEMBLER__
#include <stdint.h>

struct context {
    void *sp;
};

/* What lies at sp while nobody runs on the stack: the pushes of save_caller, last one first. */
struct context_frame {
    uint64_t r15, r14, r13, r12, rbx;
    void *fp; /* rbp */
    void *pc; /* where the call of context_switch returns to */
};
#endif

#endif
