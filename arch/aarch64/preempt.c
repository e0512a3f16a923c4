/* SPDX-License-Identifier: BSD-3-Clause
 * preempt.c - aarch64: no call is put into running code
 *
 * Nothing tells whose code that is, without the check of split stacks; a P is taken instead.
 */
#include "preempt.h"

void preempt_init(void)
{
}

size_t preempt_room(void)
{
    return 0;
}

bool preempt_inject(void *context unused_arg, uintptr_t low unused_arg,
                    void (*body)(void) unused_arg)
{
    return false;
}

void preempt_entered(void (*body)(uintptr_t pc, uintptr_t sp, size_t frame) unused_arg)
{
}
