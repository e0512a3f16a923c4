/* SPDX-License-Identifier: BSD-3-Clause
 * disturb.c - the signal that ends a call early
 *
 * It does nothing but interrupt: the last of the real-time signals that nobody uses, taken when the
 * first call is made that may have to be disturbed, and given back at the end. Where
 * QUOIT_NO_SIGNALS forbids that, or all are in use, a call ends when it ends.
 */
#include "disturb.h"

#include "compiler.h"

#include "env.h"
#include "lock.h"

#include <signal.h>

static struct lock signal_lock; /* a disposition is looked at before it is changed */
static int signo;               /* a  0: none */

static void do_nothing(int s unused_arg)
{
}

static bool is_unused(int s)
{
    struct sigaction now;

    return sigaction(s, NULL, &now) == 0 && now.sa_handler == SIG_DFL;
}

static void take_locked(void)
{
    struct sigaction nothing = { .sa_handler = do_nothing };

    sigemptyset(&nothing.sa_mask);
    for (int s = SIGRTMAX; s >= SIGRTMIN && load_relaxed(&signo) == 0; s--)
        if (is_unused(s) && sigaction(s, &nothing, NULL) == 0)
            store_relaxed(&signo, s);
}

void disturb_allow(bool allowed)
{
    sigset_t one;

    lock(&signal_lock);
    if (load_relaxed(&signo) == 0 && !(env.flags & QUOIT_NO_SIGNALS))
        take_locked();
    unlock(&signal_lock);
    if (load_relaxed(&signo) == 0)
        return;
    sigemptyset(&one);
    sigaddset(&one, load_relaxed(&signo));
    pthread_sigmask(allowed ? SIG_UNBLOCK : SIG_BLOCK, &one, NULL);
}

void disturb(pthread_t thread)
{
    /* hint: who has never been allowed to be disturbed blocks it */
    int s = load_relaxed(&signo);

    if (s != 0)
        pthread_kill(thread, s);
}

void disturb_end(void)
{
    struct sigaction now;
    int s = load_relaxed(&signo);

    if (s != 0 && sigaction(s, NULL, &now) == 0 && now.sa_handler == do_nothing)
        signal(s, SIG_DFL);
    store_relaxed(&signo, 0);
}
