/* SPDX-License-Identifier: BSD-3-Clause
 * model-waker.c - m.c: nobody wakes an M whose poller is gone
 */
#include "explore.h"

#include "cpu.h"
#include "simple-lock.h"

#include "gmp.h"

/* The M never ran: sanitizers know nothing of it. */
#define sanitize_stack_free(s) ((void)(s))
#include "../../sched/idle.c"
#include "../../sched/m.c"

static struct m leaver;
static uint64_t poller; /* its record */

void netpoll_wake(struct m *mp unused_arg)
{
    data_read(&poller);
}

void netpoll_close(struct m *mp unused_arg)
{
    data_write(&poller, 1);
}

void overflow_thread_fini(struct m *mp unused_arg)
{
}

static void setup(void)
{
    memset(&leaver, 0, sizeof(leaver));
    memset(&sched, 0, sizeof(sched));
    leaver.wakers = 1;
    poller = 0;
    explore_name(&poller, "the poller");
}

static void leaves(void)
{
    m_leave_thread(&leaver);
}

static void wakes(void)
{
    startm(NULL, &leaver, true);
}

static const struct explore tests[] = {
    {.name = "one wakes, one leaves", .setup = setup, .thread = {wakes, leaves}},
};

int main(int argc, char **argv)
{
    return explore_main(argc, argv, tests);
}
