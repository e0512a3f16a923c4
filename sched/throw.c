/* SPDX-License-Identifier: BSD-3-Clause
 * throw.c - the end of the program
 *
 * Called by anybody, anywhere: on a goroutine's stack, on g0, in threads that
 * are not ours, in signal handlers, with locks held. So nothing is allocated
 * and no lock of ours is waited for for ever. A dump that stands still is ended
 * by an alarm (dump.c).
 *
 * It ends by _exit: what was registered with atexit would run in a program that
 * is broken.
 */
#include "throw.h"

#include "atomic.h"

#include "dump.h"
#include "env.h"
#include "os_linux.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { EXIT_THROW_IN_THROW = 4 };

/* What one who came second waits at most for the first to be done. */
static const int64_t dying_ns = 10 * INT64_C(1000000000);

/* ---- the end -------------------------------------------------------------------------------- */

/* hint: relaxed, as nothing is handed over but the word itself: the id of the
 * thread that ends the program. */
static uint32_t dying;

void only_one_dies(void)
{
    uint32_t first = 0, self = (uint32_t)os_gettid();
    int64_t deadline = nanotime() + dying_ns;

    if (cas_relaxed(&dying, &first, self))
        return;
    if (first == self) {
        stderr_line("fatal error: while a fatal error was being reported");
        _exit(EXIT_THROW_IN_THROW);
    }
    while (futex_wait(&dying, first, deadline) != -ETIMEDOUT)
        ;
    _exit(EXIT_THROW);
}

void end_program(enum traceback level)
{
    if (level == TRACEBACK_CRASH)
        abort();
    _exit(EXIT_THROW);
}

void throw(const char *fmt, ...)
{
    enum traceback level = env_traceback(TRACEBACK_SINGLE);
    char text[LOG_BYTES];
    va_list ap;

    only_one_dies();
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (env.log != NULL)
        env.log(LOG_FATAL, text, env.log_arg);
    stderr_line("fatal error: %s", text);
    dump_dying(level, level >= TRACEBACK_SYSTEM, CALLER);
    end_program(level);
}
