/* SPDX-License-Identifier: BSD-3-Clause
 * split-module.c - built with and without the check, to be loaded one after the other
 *
 * Both builds have one function of the same size at the same place. It is written by hand, so that
 * only the comparison differs.
 */
#include <stdint.h>

void module_function(void);
uintptr_t module_returns_to(void);
extern const char module_returned_to[] __attribute__((visibility("hidden")));

#ifdef WITH_CHECK
#define COMPARE "cmpq %fs:0x70, %rsp\n"
#else
/* Of the same length. */
#define COMPARE "cmpq %fs:0x78, %rsp\n"
#endif

__asm__(".text\n"
        ".p2align 6\n"
        ".type module_function, @function\n"
        "module_function:\n"
        ".cfi_startproc\n"
        COMPARE
        "jae 1f\n"
        "movl $8, %r10d\n"
        "movl $0, %r11d\n"
        "call __morestack\n"
        "ret\n"
        "1: call module_leaf\n"
        ".globl module_returned_to\n"
        ".hidden module_returned_to\n"
        "module_returned_to: ret\n"
        ".cfi_endproc\n"
        "module_leaf: ret\n"
        ".size module_function, .-module_function\n");

uintptr_t module_returns_to(void)
{
    return (uintptr_t)module_returned_to;
}
