/* SPDX-License-Identifier: BSD-3-Clause
 * model-wake.c - netpoll.c: an M that sleeps in its poller is woken, and sees why
 */
#include "explore.h"

#include "simple-lock.h"

#include "cpu.h"

#include "../../uring/netpoll.c"

static struct m sleeper;
static struct poller pl;
static uint64_t gift;

/* This M has no operation in flight: it sleeps on the futex. */
int ring_submit(struct ring *r unused_arg)
{
    return 0;
}

int ring_wait(struct ring *r unused_arg, int64_t deadline unused_arg)
{
    return 0;
}

struct io_uring_sqe *ring_entry(struct ring *r unused_arg)
{
    return NULL;
}

void ring_unget(struct ring *r unused_arg)
{
}

static void setup(void)
{
    memset(&sleeper, 0, sizeof(sleeper));
    memset(&pl, 0, sizeof(pl));
    sleeper.poller = &pl;
    gift = 0;
    explore_name(&gift, "gift");
}

/* ---- sleep and wake ---- */

static void sleeps(void)
{
    netpoll_sleep(&sleeper, INT64_MAX);
    explore_check(data_read(&gift) == 1, "woken before the gift was there");
}

static void naps(void)
{
    netpoll_sleep(&sleeper, 0);
}

static void wakes(void)
{
    data_write(&gift, 1);
    netpoll_wake(&sleeper);
}

static const struct explore tests[] = {
    {.name = "one sleeps, one wakes", .setup = setup, .thread = {sleeps, wakes}},
    {.name = "one sleeps for a while, one wakes", .setup = setup,
     .thread = {naps, wakes}},
};

int main(int argc, char **argv)
{
    return explore_main(argc, argv, tests);
}
