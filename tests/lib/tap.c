/* SPDX-License-Identifier: BSD-3-Clause
 * tap.c - see tap.h
 *
 * No stdio streams: their lock would be held by a kernel thread while goroutines come and go, and
 * what is still in a buffer is lost when a test ends in a crash, which is when it is needed.
 */
#include "tap.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 900, NO_PLAN = -1 };

static atomic_int checks, failures;
static atomic_int plan = NO_PLAN;

/* All of it or the end of the program: half a line would be read as something else. */
static void write_all(const char *s, size_t n)
{
    while (n > 0) {
        ssize_t done = write(STDOUT_FILENO, s, n);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            _exit(1);
        s += done;
        n -= (size_t)done;
    }
}

/* A line begins with `lead`; newlines inside would begin a line of the protocol. */
static void vline(const char *lead, const char *fmt, va_list ap)
{
    char buf[LINE_MAX_BYTES];
    size_t len = strlen(lead);
    memcpy(buf, lead, len);
    int n = vsnprintf(buf + len, sizeof(buf) - len - 1, fmt, ap);
    size_t more = n < 0 ? 0 : (size_t)n;
    if (more > sizeof(buf) - len - 2)
        more = sizeof(buf) - len - 2;
    for (size_t i = len; i < len + more; i++)
        if (buf[i] == '\n')
            buf[i] = ' ';
    buf[len + more] = '\n';
    write_all(buf, len + more + 1);
}

__attribute__((format(printf, 2, 3))) static void line(const char *lead, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vline(lead, fmt, ap);
    va_end(ap);
}

static void result(bool held, const char *fmt, va_list ap)
{
    atomic_fetch_add(&checks, 1);
    if (!held)
        atomic_fetch_add(&failures, 1);
    vline(held ? "ok - " : "not ok - ", fmt, ap);
}

bool tap_ok(bool held, const char *file, int lineno, const char *expr, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    result(held, fmt, ap);
    va_end(ap);
    if (!held)
        line("# ", "%s:%d: %s", file, lineno, expr);
    return held;
}

bool tap_is_int(int64_t got, int64_t want, const char *file, int lineno, const char *expr,
                const char *fmt, ...)
{
    bool held = got == want;
    va_list ap;
    va_start(ap, fmt);
    result(held, fmt, ap);
    va_end(ap);
    if (!held)
        line("# ", "%s:%d: %s is %" PRId64 ", should be %" PRId64, file, lineno, expr, got, want);
    return held;
}

bool tap_is_str(const char *got, const char *want, const char *file, int lineno, const char *expr,
                const char *fmt, ...)
{
    bool held = got == want || (got && want && strcmp(got, want) == 0);
    va_list ap;
    va_start(ap, fmt);
    result(held, fmt, ap);
    va_end(ap);
    if (!held)
        line("# ", "%s:%d: %s is \"%s\", should be \"%s\"", file, lineno, expr,
             got ? got : "(null)", want ? want : "(null)");
    return held;
}

void plan_tests(int n)
{
    atomic_store(&plan, n);
    line("", "1..%d", n);
}

void skip(const char *fmt, ...)
{
    char why[LINE_MAX_BYTES / 2];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(why, sizeof(why), fmt, ap);
    va_end(ap);
    atomic_fetch_add(&checks, 1);
    line("", "ok # SKIP %s", why);
}

void skip_all(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vline("1..0 # SKIP ", fmt, ap);
    va_end(ap);
    _exit(0);
}

void bail(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vline("Bail out! ", fmt, ap);
    va_end(ap);
    _exit(1);
}

void diag(const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    vline("# ", fmt, ap);
    va_end(ap);
}

int done_testing(void)
{
    int ran = atomic_load(&checks), bad = atomic_load(&failures), planned = atomic_load(&plan);
    if (planned == NO_PLAN) {
        line("", "1..%d", ran);
        planned = ran;
    }
    if (planned != ran)
        diag("planned %d checks, ran %d", planned, ran);
    if (bad > 0)
        diag("%d of %d checks failed", bad, ran);
    if (bad > 0 && getenv("TAP_EXPECT_FAILURE"))
        return 0;
    /* A test without a single check has shown nothing. */
    return bad > 0 || planned != ran || ran == 0;
}
