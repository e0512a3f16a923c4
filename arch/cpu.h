/* SPDX-License-Identifier: BSD-3-Clause
 * cpu.h - hints to the cpu: relax, prefetch, cycle counter
 */
#ifndef QUOIT_ARCH_CPU_H
#define QUOIT_ARCH_CPU_H

#include "cpu_arch.h"

#define prefetch_read(p) __builtin_prefetch((p), 0, 3)
#define prefetch_write(p) __builtin_prefetch((p), 1, 3)

#endif
