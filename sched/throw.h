/* SPDX-License-Identifier: BSD-3-Clause
 * throw.h - the end of the program, in one style
 */
#ifndef QUOIT_SCHED_THROW_H
#define QUOIT_SCHED_THROW_H

#include "compiler.h"

#include "env.h"

/* "fatal error: <text>", which goroutine and where, at GOTRACEBACK's level; then exit code 2,
 * or abort for GOTRACEBACK=crash. Any thread, any stack, signal handlers too. text: "function:
 * fact". */
noreturn_fn cold void throw(const char *fmt, ...) printf_like(1, 2);

/* The parts of it, for others that end the program: returns in the first thread that comes only;
 * then the end at this level, code 2. */
void only_one_dies(void);
noreturn_fn void end_program(enum traceback level);
enum { EXIT_THROW = 2 };

/* A line for options.log or stderr; level as in syslog. Async-signal-safe but for the user's
 * own function. */
void log_line(int level, const char *fmt, ...) printf_like(2, 3);

/* A line to stderr by one write, without a prefix. The same rules. */
void stderr_line(const char *fmt, ...) printf_like(1, 2);

/* What is longer is cut. */
enum { LOG_BYTES = 512 };
enum { LOG_FATAL = 2, LOG_ERROR = 3, LOG_WARNING = 4, LOG_INFO = 6 };

/* Kept in every build. */
#define CHECK(cond, text)            \
    do {                             \
        if (unlikely(!(cond)))       \
            throw("%s: %s", __func__, text); \
    } while (0)

/* Only with -Dchecks=cheap or all. */
#if QUOIT_CHECKS > 0
#define DEBUG(cond, text) CHECK(cond, text)
#else
#define DEBUG(cond, text) ((void)0)
#endif

#endif
