/* SPDX-License-Identifier: BSD-3-Clause
 * model-wake.c - netpoll.c: an M that sleeps in its poller is woken, and sees why
 */
#include "explore.h"

#include "simple-lock.h"

#include "cpu.h"

#include "gmp.h"

#include <stdlib.h>

static struct m sleeper, opener;
static uint64_t gift, record;

/* The one record that is made. */
static void *spare_record(void);
#define aligned_alloc(align, size) ((void)(align), (void)(size), spare_record())
#include "../../uring/netpoll.c"

static struct poller pl, spare;

static void *spare_record(void)
{
    return &spare;
}

void ring_init(struct ring *r unused_arg)
{
    data_write(&record, 1);
}

/* There is nothing to take, but it looks. */
unsigned op_take(struct poller *p unused_arg, bool owner unused_arg, struct glist *list unused_arg)
{
    data_read(&record);
    return 0;
}

void op_cut(struct poller *p unused_arg, unsigned n unused_arg)
{
}

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

void netpoll_flush(struct m *mp unused_arg)
{
}

void ring_room(struct ring *r unused_arg)
{
}

bool ring_watch(const struct ring *r unused_arg, int64_t deadline unused_arg,
                const uint32_t *word unused_arg, uint32_t value unused_arg)
{
    return false;
}

static void setup(void)
{
    memset(&sleeper, 0, sizeof(sleeper));
    memset(&pl, 0, sizeof(pl));
    sleeper.poller = &pl;
    memset(&opener, 0, sizeof(opener));
    memset(&spare, 0, sizeof(spare));
    pollers = NULL;
    gift = record = 0;
    explore_name(&record, "the poller's record");
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

/* ---- an M that comes ---- */

static void opens(void)
{
    netpoll_open(&opener);
}

static void reaps_other(void)
{
    struct glist list = {NULL, NULL, 0};

    netpoll_reap_other(NULL, &opener, &list);
}

static const struct explore tests[] = {
    {.name = "one sleeps, one wakes", .setup = setup, .thread = {sleeps, wakes}},
    {.name = "one sleeps for a while, one wakes", .setup = setup,
     .thread = {naps, wakes}},
    {.name = "one comes, one reaps for it", .setup = setup, .thread = {opens, reaps_other}},
};

int main(int argc, char **argv)
{
    return explore_main(argc, argv, tests);
}
