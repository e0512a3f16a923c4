/* SPDX-License-Identifier: BSD-3-Clause
 * caught.h - a signal that somebody else may have had a handler for, and may get one again
 */
#ifndef QUOIT_SCHED_CAUGHT_H
#define QUOIT_SCHED_CAUGHT_H

#include <signal.h>
#include <stdbool.h>

typedef void signal_fn(int sig, siginfo_t *info, void *context);

/* It outlives Quoit's end: somebody who installed a handler over ours may still call that. */
struct caught {
    int sig;
    signal_fn *ours;
    bool ours_below; /* left in place at the end, under somebody's handler */
    struct sigaction found;
};

/* Once a start and an end; flags: beside SA_SIGINFO, SA_ONSTACK and what was found; 0 or -errno.
 * The end puts back what was found, unless somebody has installed a handler since. */
int caught_install(struct caught *c, int flags);
void caught_remove(struct caught *c);

bool caught_is_ours(const struct caught *c, const struct sigaction *now);

/* In the handler: calls the one that was found. False: there was none. */
bool caught_pass_on(struct caught *c, siginfo_t *info, void *context);

#endif
