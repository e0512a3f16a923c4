/* SPDX-License-Identifier: BSD-3-Clause
 * caught.c - a signal that somebody else may have had a handler for, and may get one again
 */
#include "caught.h"

#include <errno.h>

bool caught_is_ours(const struct caught *c, const struct sigaction *now)
{
    return now->sa_flags & SA_SIGINFO && now->sa_sigaction == c->ours;
}

int caught_install(struct caught *c, int flags)
{
    struct sigaction now, ours = { .sa_sigaction = c->ours };

    if (sigaction(c->sig, NULL, &now) != 0)
        return -errno;
    if (caught_is_ours(c, &now))
        return 0;
    /* Who installed theirs over ours calls it: ours over theirs would go in circles. */
    if (c->ours_below && (now.sa_flags & SA_SIGINFO || now.sa_handler != SIG_DFL))
        return 0;
    c->ours_below = false;
    c->found = now;
    ours.sa_mask = now.sa_mask;
    ours.sa_flags = SA_SIGINFO | SA_ONSTACK | flags | (now.sa_flags & (SA_NODEFER | SA_RESTART));
    return sigaction(c->sig, &ours, NULL) == 0 ? 0 : -errno;
}

void caught_remove(struct caught *c)
{
    struct sigaction now;

    if (sigaction(c->sig, NULL, &now) != 0)
        return;
    if (caught_is_ours(c, &now))
        sigaction(c->sig, &c->found, NULL);
    else
        c->ours_below = true;
}

bool caught_pass_on(struct caught *c, siginfo_t *info, void *context)
{
    struct sigaction found = c->found;
    bool takes_info = found.sa_flags & SA_SIGINFO;

    if (!takes_info && (found.sa_handler == SIG_DFL || found.sa_handler == SIG_IGN))
        return false;
    if (found.sa_flags & SA_RESETHAND) {
        c->found.sa_flags &= ~SA_SIGINFO;
        c->found.sa_handler = SIG_DFL;
    }
    if (takes_info)
        found.sa_sigaction(c->sig, info, context);
    else
        found.sa_handler(c->sig);
    return true;
}
