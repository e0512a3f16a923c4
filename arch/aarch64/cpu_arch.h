/* SPDX-License-Identifier: BSD-3-Clause
 * cpu_arch.h - aarch64: yield, the generic timer, the thread-local read
 */
#ifndef QUOIT_CPU_ARCH_H
#define QUOIT_CPU_ARCH_H

#include <stdint.h>

#include "compiler.h"

static always_inline void cpu_relax(void)
{
    __asm__ volatile("yield");
}

/* A counter that runs at one rate on every cpu; its unit is measured by who needs it. */
static always_inline uint64_t cpu_cycles(void)
{
    uint64_t ticks;

    __asm__ volatile("mrs %0, cntvct_el0" : "=r"(ticks));
    return ticks;
}

static always_inline void *tls_read_arch(void)
{
    void *self, *offset;

    __asm__ volatile("mrs %0, tpidr_el0\n\t"
                     "adrp %1, :gottprel:tls_self\n\t"
                     "ldr %1, [%1, #:gottprel_lo12:tls_self]\n\t"
                     "ldr %0, [%0, %1]"
                     : "=&r"(self), "=&r"(offset));
    return self;
}

#endif
