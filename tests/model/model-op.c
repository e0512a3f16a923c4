/* SPDX-License-Identifier: BSD-3-Clause
 * model-op.c - op.c: who takes a completion finds the record as it was handed over
 *
 * The kernel's own order between an entry and its completion is left out, as sanitizers
 * leave it out: what is explored is the tag alone.
 */
#include "explore.h"

#include "simple-park.h"

#include "../../uring/op.c"

static struct op op;
static struct poller pl;
static struct io_uring_sqe sqe;
static const struct opdesc desc;
static uint64_t record; /* stands for what is in it */

struct probe probed;
uint32_t fixed_version;

/* No memory is registered. */
void fixed_update(struct poller *p unused_arg)
{
}

int fixed_find(struct fixed *f unused_arg, uint64_t at unused_arg, uint64_t n unused_arg)
{
    return -1;
}

struct io_uring_sqe *ring_entry(struct ring *r unused_arg)
{
    return &sqe;
}

void netpoll_flush(struct m *mp unused_arg)
{
}

void submit_first(struct m *mp unused_arg, struct poller *pl unused_arg)
{
}

static void setup(void)
{
    simple_setup();
    memset(&op, 0, sizeof(op));
    memset(&pl, 0, sizeof(pl));
    memset(&sqe, 0, sizeof(sqe));
    probed.cancel_any = true;
    op.desc = &desc;
    op.gp = &simple_gs[0];
    simple_ms[0].poller = &pl;
    record = 0;
    explore_name(&record, "the record");
}

static void hands_over(void)
{
    data_write(&record, 1);
    hand_to_ring(&op);
}

static void takes(void)
{
    uint32_t gen = load_relaxed(&op.gen);

    if (gen != 0 && tagged(op_tag(&op, gen)) == &op)
        data_read(&record);
}

static const struct explore tests[] = {
    {.name = "one hands over, one takes", .setup = setup, .thread = {hands_over, takes}},
};

int main(int argc, char **argv)
{
    return explore_main(argc, argv, tests);
}
