/* SPDX-License-Identifier: BSD-3-Clause
 * tap.h - what a test program says, in the Test Anything Protocol
 *
 *     int main(void)
 *     {
 *         plan_tests(2);                          or nothing here: done_testing() counts
 *         ok(runqempty(pp), "a new queue is empty");
 *         is_int(runqlen(pp), 0, "and has length %d", 0);
 *         return done_testing();
 *     }
 *
 * Every check may be called from any thread and any goroutine: a line is one write(2), the counters
 * are atomic, no lock is held and nothing allocated, so a check never changes who runs when. Lines
 * carry no number, as numbers would have to be in order. A check uses about a kilobyte of stack
 * besides what vsnprintf needs. None may be called from a signal handler.
 *
 * What the machine lacks is skipped with a reason, before the first check: skip_all(). The exit
 * status is 0 then: the reader of TAP sees the skip in the plan.
 */
#ifndef QUOIT_TESTS_TAP_H
#define QUOIT_TESTS_TAP_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Each returns whether it held, so that a test can leave when going on makes no sense. */
#define ok(cond, ...) tap_ok(!!(cond), __FILE__, __LINE__, #cond, __VA_ARGS__)
#define is_int(got, want, ...) \
    tap_is_int((int64_t)(got), (int64_t)(want), __FILE__, __LINE__, #got, __VA_ARGS__)
#define is_str(got, want, ...) tap_is_str((got), (want), __FILE__, __LINE__, #got, __VA_ARGS__)

bool tap_ok(bool held, const char *file, int line, const char *expr, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));
bool tap_is_int(int64_t got, int64_t want, const char *file, int line, const char *expr,
                const char *fmt, ...) __attribute__((format(printf, 6, 7)));
bool tap_is_str(const char *got, const char *want, const char *file, int line, const char *expr,
                const char *fmt, ...) __attribute__((format(printf, 6, 7)));

/* Before the first check, once; without it done_testing() says how many there were. */
void plan_tests(int n);

/* One check of a program that goes on: counts as a check that held. */
void skip(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void skip_all(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));

/* The test cannot go on, and that is a failure of all that is left. */
void bail(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));

/* A remark for whoever reads the log; never changes the outcome. */
void diag(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* The exit status for main: 0 if every check held and the plan was kept. With TAP_EXPECT_FAILURE in
 * the environment it is 0 after failed checks too: Meson takes a status for a crash, and a test
 * that should fail must fail by its checks. */
int done_testing(void);

#ifdef __cplusplus
}
#endif
#endif
