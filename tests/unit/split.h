/* SPDX-License-Identifier: BSD-3-Clause
 * split.h - functions with a stack check, and what is to be found out about them
 */
#ifndef QUOIT_TESTS_SPLIT_H
#define QUOIT_TESTS_SPLIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct split_function {
    const char *name;
    void (*at)(void);
    bool checks, ours;
};

#endif
