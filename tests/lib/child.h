/* SPDX-License-Identifier: BSD-3-Clause
 * child.h - what a program that dies says
 */
#ifndef QUOIT_TESTS_CHILD_H
#define QUOIT_TESTS_CHILD_H

#include <stdbool.h>

struct child {
    int status;      /* as of waitpid(2) */
    char said[8192]; /* on stderr, cut where it is longer */
};

/* fn(arg) in a child of fork(2), SIGSEGV, SIGBUS and SIGABRT at their defaults
 * and no core left; where fn returns, the child exits with its value. */
void child_run(struct child *c, int (*fn)(void *), void *arg);
bool child_said(const struct child *c, const char *what);
/* Its exit code, or minus the signal that ended it. */
int child_end(const struct child *c);

#endif
