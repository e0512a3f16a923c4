/* SPDX-License-Identifier: BSD-3-Clause
 * context_arch.h - a saved stack on x86_64, and the offsets that switch.S uses
 *
 * From sp upwards: r15 r14 r13 r12 rbx rbp, return address. CONTEXT_FRAME bytes in all.
 */
#ifndef QUOIT_CONTEXT_ARCH_H
#define QUOIT_CONTEXT_ARCH_H

#define CONTEXT_SP 0
#define CONTEXT_FRAME 56

#ifndef __ASSEMBLER__
struct context {
    void *sp;
};
#endif

#endif
