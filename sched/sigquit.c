/* SPDX-License-Identifier: BSD-3-Clause
 * sigquit.c - SIGQUIT prints everything and ends the program, as Go's programs do
 *
 * It may come in on any thread, ours or not, and inside Quoit, with locks held by that very thread:
 * what is allowed then is what dump_dying allows. Whoever had a handler of theirs keeps it, and so
 * does who ignores the signal: they may call quoit_dump.
 */
#include "sigquit.h"

#include "signal_arch.h"

#include "dump.h"
#include "env.h"
#include "throw.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>

static struct sigaction found;
static bool installed;

static void handler(int sig unused_arg, siginfo_t *info unused_arg, void *context)
{
    enum traceback level = env_traceback(TRACEBACK_ALL);

    only_one_dies();
    stderr_line("SIGQUIT: quit");
    dump_dying(level, true, (const void *)signal_pc(context));
    end_program(level);
}

bool sigquit_is_ours(const struct sigaction *now)
{
    return now->sa_flags & SA_SIGINFO && now->sa_sigaction == handler;
}

int sigquit_init(void)
{
    struct sigaction ours = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO | SA_ONSTACK };

    installed = false;
    if (env.flags & QUOIT_NO_SIGNALS)
        return 0;
    if (sigaction(SIGQUIT, NULL, &found) != 0)
        return -errno;
    if (found.sa_flags & SA_SIGINFO || found.sa_handler != SIG_DFL)
        return 0;
    sigfillset(&ours.sa_mask);
    if (sigaction(SIGQUIT, &ours, NULL) != 0)
        return -errno;
    installed = true;
    return 0;
}

void sigquit_fini(void)
{
    struct sigaction now;

    if (installed && sigaction(SIGQUIT, NULL, &now) == 0 && sigquit_is_ours(&now))
        sigaction(SIGQUIT, &found, NULL);
}
