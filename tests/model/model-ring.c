/* SPDX-License-Identifier: BSD-3-Clause
 * model-ring.c - ring.h, ring.c: entries and completions pass between us and the kernel,
 * whoever takes the completions
 *
 * The kernel is a thread here, with the orders that its side of io_uring has. Both rings
 * have one slot, so that it is used again at once.
 */
#include "explore.h"

#include "cpu.h"

#include "../../uring/ring.c"

enum { ROUNDS = 2 };

static struct ring r;
static unsigned sq_head, sq_tail, cq_head, cq_tail;
static struct io_uring_sqe sqe;
static struct io_uring_cqe cqe;
static uint64_t entry, completion; /* stand for what is in the one slot of each */
static int taken[EXPLORE_THREADS];
static uint64_t reaped; /* under ring_lock */

static void setup(void)
{
    sq_head = sq_tail = cq_head = cq_tail = 0;
    entry = completion = reaped = 0;
    memset(taken, 0, sizeof(taken));
    r = (struct ring){.sq_head = &sq_head, .sq_tail = &sq_tail, .sqes = &sqe,
                      .cq_head = &cq_head, .cq_tail = &cq_tail, .cqes = &cqe};
    explore_name(&entry, "entry");
    explore_name(&completion, "completion");
    explore_name(&reaped, "what is kept of completions");
    explore_memory(&r, sizeof(r));
}

static void submits(void)
{
    for (int i = 0; i < ROUNDS; i++) {
        if (ring_entry(&r) == NULL)
            return;
        data_write(&entry, (uint64_t)i + 1);
        publish(&r);
    }
}

static void kernel_takes(void)
{
    for (unsigned i = 0; i < ROUNDS; i++) {
        if (load_acquire(&sq_tail) == i)
            return;
        explore_check(data_read(&entry) == i + 1, "entry %u is not filled in", i);
        store_release(&sq_head, i + 1);
    }
}

static void kernel_completes(void)
{
    for (unsigned i = 0; i < ROUNDS; i++) {
        if (load_acquire(&cq_head) != i)
            return;
        data_write(&completion, i + 1);
        store_release(&cq_tail, i + 1);
    }
}

static void reap(int thread)
{
    if (!ring_trylock(&r))
        return;
    if (ring_peek(&r) != NULL) {
        explore_check(data_read(&completion) == load_relaxed(&cq_head) + 1,
                      "not the completion that is due");
        data_write(&reaped, data_read(&reaped) + 1);
        taken[thread]++;
        ring_took(&r);
    }
    ring_unlock(&r);
}

static void reaps1(void)
{
    reap(1);
    reap(1);
}

static void reaps2(void)
{
    reap(2);
    reap(2);
}

static void as_many(void)
{
    explore_check((unsigned)(taken[1] + taken[2]) == cq_head && reaped == cq_head,
                  "%d and %d taken, the head is at %u", taken[1], taken[2], cq_head);
}

/* ---- a thread of the kernel looks for entries ----------------------------------------------- */

static unsigned sq_flags;
static bool wakes, sleeps;

static void setup_polled(void)
{
    setup();
    sq_flags = 0;
    wakes = sleeps = false;
    r.sq_flags = &sq_flags;
    r.polled = true;
}

static void submits_polled(void)
{
    if (ring_entry(&r) != NULL && publish(&r) == 1)
        wakes = poller_sleeps(&r);
}

static void kernel_polls(void)
{
    store_relaxed(&sq_flags, IORING_SQ_NEED_WAKEUP);
    fence_full();
    sleeps = load_relaxed(&sq_tail) == 0;
}

static void nobody_is_asleep(void)
{
    explore_check(wakes || !sleeps, "there is an entry, and the kernel's thread sleeps");
}

static const struct explore tests[] = {
    {.name = "entries", .setup = setup, .thread = {submits, kernel_takes}},
    {.name = "entries, looked for", .setup = setup_polled,
     .thread = {submits_polled, kernel_polls}, .finish = nobody_is_asleep},
    {.name = "completions", .setup = setup, .thread = {kernel_completes, reaps1},
     .finish = as_many},
    {.name = "completions, two take them", .setup = setup,
     .thread = {kernel_completes, reaps1, reaps2}, .finish = as_many},
};

int main(int argc, char **argv)
{
    return explore_main(argc, argv, tests);
}
