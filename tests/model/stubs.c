/* SPDX-License-Identifier: BSD-3-Clause
 * stubs.c - what the files under test call and no model is about
 *
 * Linked from an archive: a model that brings its own gets that one.
 */
#include "gmp.h"

#include "machine.h"

#include "throw.h"

#include <stdlib.h>

struct sched sched;

noreturn_fn void throw(const char *fmt, ...)
{
    fail_step("throw: %s", fmt);
    abort();
}

int64_t nanotime(void)
{
    return 0;
}
