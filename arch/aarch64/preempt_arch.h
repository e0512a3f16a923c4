/* SPDX-License-Identifier: BSD-3-Clause
 * preempt_arch.h - aarch64: no compiler has split stacks here, so there is no guard to compare with
 */
#ifndef QUOIT_PREEMPT_ARCH_H
#define QUOIT_PREEMPT_ARCH_H

#include <stddef.h>
#include <stdint.h>

#include "compiler.h"

enum { have_guard = 0 };

static always_inline uintptr_t guard_get(void)
{
    return 0;
}

static always_inline void guard_set(uintptr_t value)
{
    (void)value;
}

static always_inline uintptr_t *guard_address(void)
{
    return NULL;
}

#endif
