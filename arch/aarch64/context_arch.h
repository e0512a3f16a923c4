/* SPDX-License-Identifier: BSD-3-Clause
 * context_arch.h - a saved stack on aarch64, and the offsets that switch.S uses
 */
#ifndef QUOIT_CONTEXT_ARCH_H
#define QUOIT_CONTEXT_ARCH_H

#define CONTEXT_SP 0

/* Into struct context_frame. */
#define CONTEXT_FP 0
#define CONTEXT_X19 16
#define CONTEXT_D8 96
#define CONTEXT_FRAME 160

#ifndef __ASSEMBLER__
#include <stdint.h>

struct context {
    void *sp;
};

/* What lies at sp while nobody runs on the stack. */
struct context_frame {
    void *fp;          /* x29 */
    void *pc;          /* x30: where the call of context_switch returns to */
    uint64_t x19[10];  /* x19 to x28 */
    uint64_t d8[8];    /* the low halves of v8 to v15; a call destroys the rest */
};
#endif

#endif
