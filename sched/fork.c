/* SPDX-License-Identifier: BSD-3-Clause
 * fork.c - what a child of fork(2) has of Quoit: nothing that runs
 *
 * fork copies the memory and one thread. The other M's, and with them every goroutine but the one
 * that called, do not exist in the child, and rings, helper threads and timers are the parent's.
 * So the child goes on as a plain thread of a process where Quoit does not run: the handler below
 * takes away what says otherwise. The stack of the goroutine is its stack from then on.
 *
 * Nothing happens before the fork, and no lock is taken for it: whatever the others were in the
 * middle of, the child never looks at it again. Functions that see no running Quoit take no lock,
 * and the next start makes everything anew. What the parent had stays as it is, a copy that costs
 * what is written to it; to free it would mean to trust it.
 *
 * Turned down: a child with one M and the goroutines of its parent, as they wait for things that
 * will never happen to them; locks taken before the fork in order, because each floor would have
 * its own and whoever forgets one has a child that hangs.
 *
 * Not reached: children made by clone, or by _Fork, which runs no handlers; they may do what a
 * signal handler may, as its manual says. vfork and posix_spawn need nothing.
 */
#include "fork.h"

#include "topo.h"

#include "block.h"
#include "copies.h"
#include "foreign.h"
#include "housekeep.h"
#include "init.h"
#include "proc.h"
#include "profile.h"
#include "rungs.h"
#include "sigquit.h"
#include "stack.h"
#include "throw.h"

#include <errno.h>
#include <pthread.h>

static void in_child(void)
{
    if (!forget_run())
        return;
    tls_set(NULL);
    foreign_after_fork_child();
    netpoll_after_fork_child();
    block_after_fork_child();
    housekeep_after_fork_child();
    profile_after_fork_child();
    overflow_fini();
    sigquit_fini();
    rungs_after_fork_child();
    topo_unload();
    copies_drop();
}

int fork_init(void)
{
    static bool handled; /* handlers cannot be taken out; ours lets other children be */

    if (!handled && pthread_atfork(NULL, NULL, in_child) != 0)
        return -ENOMEM;
    handled = true;
    return 0;
}

/* Below it on the stack is what does not run any more. */
cold void child_returned(void)
{
    throw("fork: a function that Quoit called returned in a child process; end that by _exit or "
          "execve");
}
