/* SPDX-License-Identifier: BSD-3-Clause
 * fakepoll.c - a poller without I/O, for tests that link the scheduler and not uring/
 *
 * Nothing is ever in flight; an M sleeps on a futex word that hangs in m->poller. What
 * a test wants to come back as completed it puts into fakepoll_ready before the M
 * looks.
 */
#include "fakepoll.h"

#include "gmp.h"
#include "os_linux.h"
#include "throw.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Of the word: awake, a wake-up waits, asleep. */
enum { AWAKE, WOKEN, ASLEEP };

struct poller {
    uint32_t word; /* a  POLL-WAKE */
};

struct glist fakepoll_ready;
uint32_t fakepoll_rest, fakepoll_closed, fakepoll_dropped;

int netpoll_init(int nprocs unused_arg)
{
    fakepoll_ready = (struct glist){ NULL, NULL, 0 };
    fakepoll_rest = 0;
    return 0;
}

void netpoll_fini(void)
{
}

void netpoll_after_fork_child(void)
{
}

void netpoll_open(struct m *mp)
{
    mp->poller = calloc(1, sizeof *mp->poller);
    if (mp->poller == NULL)
        throw("netpoll_open: no memory for a new thread");
}

void netpoll_close(struct m *mp)
{
    add_relaxed(&fakepoll_closed, 1);
    add_relaxed(&fakepoll_dropped, mp->poll_pending);
    mp->poll_pending = 0;
    free(mp->poller);
    mp->poller = NULL;
}

bool netpoll_over(void)
{
    return true;
}

void netpoll_flush(struct m *mp)
{
    mp->poll_pending = 0;
}

uint32_t netpoll_rest(struct m *mp unused_arg)
{
    return fakepoll_rest;
}

bool netpoll_overdue(const struct m *m2 unused_arg, int64_t now unused_arg)
{
    return false;
}

void netpoll_flush_for(struct m *m2 unused_arg)
{
}

void netpoll_reap(struct m *mp unused_arg, struct glist *ready)
{
    *ready = fakepoll_ready;
    /* Where there are more P's it stays empty, and nobody writes. */
    if (ready->n > 0)
        fakepoll_ready = (struct glist){ NULL, NULL, 0 };
}

void netpoll_reap_other(struct m *mp unused_arg, struct m *m2 unused_arg,
                        struct glist *ready unused_arg)
{
}

void netpoll_cancel(struct op *op unused_arg)
{
}

void netpoll_mail(struct m *mp unused_arg)
{
}

void netpoll_sleep(struct m *mp, int64_t deadline)
{
    uint32_t *word = &mp->poller->word, seen = AWAKE;

    netpoll_flush(mp);
    /* order POLL-WAKE in: what the waker did first is seen; out: netpoll_wake */
    if (cas_acq_rel(word, &seen, ASLEEP))
        while (load_relaxed(word) == ASLEEP && futex_wait(word, ASLEEP, deadline) != -ETIMEDOUT)
            ;
    /* order POLL-WAKE in: what the waker did first is seen; out: netpoll_wake */
    xchg_acquire(word, AWAKE);
}

void netpoll_wake(struct m *m2)
{
    /* order POLL-WAKE out: what the sleeper is to see comes first; in: netpoll_sleep */
    if (xchg_acq_rel(&m2->poller->word, WOKEN) == ASLEEP)
        futex_wake(&m2->poller->word, 1);
}

/* What completes is for its own M: the watchman has nothing to take. */
bool netpoll_busy(void)
{
    return false;
}

int netpoll_threads(void)
{
    return 0;
}

void netpoll_count(struct poll_numbers *numbers)
{
    memset(numbers, 0, sizeof *numbers);
}
