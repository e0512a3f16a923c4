/* SPDX-License-Identifier: BSD-3-Clause
 * stubs.c - what the files under test call and no model is about
 *
 * Weak: a model that includes the real one gets that.
 */
#include "proc.h"

#include "machine.h"

#include "init.h"
#include "throw.h"

#include <stdlib.h>

#define stub __attribute__((__weak__))

stub struct sched sched;

noreturn_fn stub void throw(const char *fmt, ...)
{
    fail_step("throw: %s", fmt);
    abort();
}

stub void log_line(int level, const char *fmt, ...)
{
    (void)level, (void)fmt;
}

/* setup() says what there is. */
stub void fence_init(void)
{
}

stub int64_t nanotime(void)
{
    return 0;
}

/* No model of a protocol beside it revokes an M. */
stub struct m *entry_slow(struct m *mp)
{
    return mp;
}

stub void stop_begin(void)
{
}

stub bool foreign_enter(void)
{
    return true;
}

stub void foreign_leave(void)
{
}
