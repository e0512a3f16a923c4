/* SPDX-License-Identifier: BSD-3-Clause
 * sigquit.h - SIGQUIT (Ctrl-\ at a terminal) prints everything and ends the program
 */
#ifndef QUOIT_SCHED_SIGQUIT_H
#define QUOIT_SCHED_SIGQUIT_H

#include <signal.h>
#include <stdbool.h>

/* Once a start and an end; 0 or -errno. Only where the default action was in place, and not with
 * QUOIT_NO_SIGNALS. The end puts it back, unless somebody installed a handler since. */
int sigquit_init(void);
void sigquit_fini(void);

/* SIGQUIT's action is the one above. */
bool sigquit_is_ours(const struct sigaction *now);

#endif
