/* SPDX-License-Identifier: BSD-3-Clause
 * cpu_arch.h - x86_64: pause, time stamp, the thread-local read
 */
#ifndef QUOIT_CPU_ARCH_H
#define QUOIT_CPU_ARCH_H

#include <stdint.h>

#include "compiler.h"

static always_inline void cpu_relax(void)
{
    __builtin_ia32_pause();
}

/* A counter that runs at one rate on every cpu; its unit is measured by who needs it. */
static always_inline uint64_t cpu_cycles(void)
{
    return __builtin_ia32_rdtsc();
}

static always_inline void *tls_read_arch(void)
{
    void *p;

    __asm__ volatile("movq tls_self@gottpoff(%%rip), %0\n\t"
                     "movq %%fs:(%0), %0"
                     : "=r"(p));
    return p;
}

#endif
