/* SPDX-License-Identifier: BSD-3-Clause
 * cpu.h - the model's own: a spin loop waits for somebody else's store
 */
#ifndef QUOIT_ARCH_CPU_H
#define QUOIT_ARCH_CPU_H

#include "atomic.h"
#include "cpu_arch.h"

#define cpu_relax() model_relax(SITE("cpu_relax", "", RELAXED))
#define prefetch_read(p) ((void)(p))
#define prefetch_write(p) ((void)(p))

#endif
