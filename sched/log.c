/* SPDX-License-Identifier: BSD-3-Clause
 * log.c - lines for the program's log, or for stderr
 *
 * Called anywhere, in signal handlers too. Text is put together by vsnprintf
 * with plain conversions of strings and whole numbers only; with these glibc
 * and musl touch neither the heap nor a lock.
 */
#include "throw.h"

#include "env.h"
#include "os_linux.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

void stderr_line(const char *fmt, ...)
{
    char line[LOG_BYTES];
    int saved = errno, n;
    va_list ap;

    va_start(ap, fmt);
    n = vsnprintf(line, sizeof line - 1, fmt, ap);
    va_end(ap);
    if (n > (int)sizeof line - 2)
        n = (int)sizeof line - 2;
    if (n >= 0) {
        line[n] = '\n';
        write_stderr(line, (unsigned long)n + 1);
    }
    errno = saved;
}

/* Nobody asked for information on stderr. */
void log_line(int level, const char *fmt, ...)
{
    char text[LOG_BYTES];
    int saved = errno;
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (env.log != NULL)
        env.log(level, text, env.log_arg);
    else if (level <= LOG_WARNING)
        stderr_line("quoit: %s: %s", level <= LOG_ERROR ? "error" : "warning", text);
    errno = saved;
}
