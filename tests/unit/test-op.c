/* SPDX-License-Identifier: BSD-3-Clause
 * test-op.c - operations on rings when the kernel is in trouble: none is lost, none is done twice
 */
#include "op.h"

#include "atomic.h"
#include "quoit.h"
#include "quoit_io.h"

#include "os_linux.h"
#include "proc.h"

#include "child.h"
#include "faultring.h"
#include "forbid.h"
#include "poller.h"
#include "posix.h"
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { GOROUTINES = 300, READS = 20, SPAN = 4096 };

static int file;

/* ---- many reads ----------------------------------------------------------------------------- */

static quoit_wg done;
static uint32_t right;

static int read_some(void *arg)
{
    uint32_t at = (uint32_t)(uintptr_t)arg;

    for (int i = 0; i < READS; i++) {
        uint32_t got = 0, where = (at + (uint32_t)i) % (SPAN / 4);

        if (quoit_pread(file, &got, sizeof got, (off_t)where * 4) == sizeof got && got == where)
            add_relaxed(&right, 1);
    }
    quoit_wg_done(&done);
    return 0;
}

/* The same as one batch. */
static int read_at_once(void *arg)
{
    uint32_t at = (uint32_t)(uintptr_t)arg, got[READS];
    struct quoit_io io[READS];

    for (uint32_t i = 0; i < READS; i++)
        io[i] = (struct quoit_io){ .what = QUOIT_IO_PREAD, .fd = file, .buf = &got[i],
                                   .n = sizeof *got, .at = (int64_t)((at + i) % (SPAN / 4)) * 4 };
    if (quoit_io_batch(io, READS) == 0)
        for (uint32_t i = 0; i < READS; i++)
            add_relaxed(&right, io[i].result == sizeof *got && got[i] == (at + i) % (SPAN / 4));
    quoit_wg_done(&done);
    return 0;
}

static int read_much(void *arg unused_arg)
{
    store_relaxed(&right, 0);
    quoit_wg_add(&done, GOROUTINES);
    for (uintptr_t i = 0; i < GOROUTINES; i++)
        quoit_go(i % 2 ? read_at_once : read_some, (void *)(i * 37));
    quoit_wg_wait(&done);
    return (int)load_relaxed(&right);
}

static void nothing_is_lost(const char *procs, uint32_t every, uint32_t first, const char *what)
{
    setenv("GOMAXPROCS", procs, 1);
    faults.every = every;
    faults.first = first;
    fault_calls = fault_refused = 0;
    is_int(quoit_main(read_much, NULL), GOROUTINES * READS, "GOMAXPROCS=%s, %s: all reads right",
           procs, what);
    ok(fault_refused > 0 || every + first == 0, "of %d calls %d were refused", (int)fault_calls,
       (int)fault_refused);
    faults.every = faults.first = 0;
}

/* Results that mean: once more. */
static void spoiled_reads_are_done_again(const char *procs)
{
    setenv("GOMAXPROCS", procs, 1);
    fault_spoiled = 0;
    store_relaxed(&faults.spoil, 3);
    is_int(quoit_main(read_much, NULL), GOROUTINES * READS,
           "GOMAXPROCS=%s, reads that are to be made again: all right", procs);
    ok(fault_spoiled > 0, "%d times", (int)fault_spoiled);
    store_relaxed(&faults.spoil, 0);
}

/* ---- the end, with reads under way ---------------------------------------------------------- */

static int ends[2];

static int read_for_ever(void *arg unused_arg)
{
    char b[8];

    (void)quoit_read(ends[0], b, sizeof b);
    return 0;
}

static int abandon(void *arg)
{
    if (*(const bool *)arg)
        probed.cancel_any = false;
    for (int i = 0; i < 200; i++)
        quoit_go(read_for_ever, NULL);
    for (int i = 0; i < 10; i++)
        quoit_yield();
    return 5;
}

static void what_is_under_way_is_cancelled(bool one_by_one)
{
    char b[8];

    setenv("GOMAXPROCS", "1", 1);
    if (pipe(ends) < 0)
        bail("pipe");
    is_int(quoit_main(abandon, &one_by_one), 5, "200 reads under way, cancelled %s",
           one_by_one ? "one by one" : "at once");
    is_int(write(ends[1], "late", 4), 4, "what comes later");
    is_int(read(ends[0], b, sizeof b), 4, "is read by nobody else");
    close(ends[0]);
    close(ends[1]);
}

/* ---- a kernel that does not cancel ---------------------------------------------------------- */

static int nothing(void *arg unused_arg)
{
    return 6;
}

static int abandon_for_good(void *arg unused_arg)
{
    quoit_go(read_for_ever, NULL);
    for (int i = 0; i < 10; i++)
        quoit_yield();
    store_relaxed(&faults.all, 1);
    return 5;
}

/* The thread that ran it goes on, so the read stays until its data comes. */
static int leave_behind(void *arg unused_arg)
{
    int64_t until = nanotime() + INT64_C(20000000000);
    int e;

    setenv("GOMAXPROCS", "1", 1);
    if (quoit_main(abandon_for_good, NULL) != 5)
        return 1;
    if (quoit_main(nothing, NULL) != -EBUSY)
        return 2;
    if (write(ends[1], "late", 4) != 4)
        return 3;
    store_relaxed(&faults.all, 0);
    while ((e = quoit_main(nothing, NULL)) == -EBUSY && nanotime() < until)
        os_yield();
    return e == 6 ? 0 : 4;
}

static void what_cannot_be_cancelled_is_left_behind(void)
{
    struct child c;

    if (pipe(ends) < 0)
        bail("pipe");
    child_run(&c, leave_behind, NULL);
    is_int(child_end(&c), 0, "an operation that cannot be cancelled holds up the next start only");
    ok(child_said(&c, "could not be cancelled"), "a warning says so");
    close(ends[0]);
    close(ends[1]);
}

/* ---- a kernel that takes nothing ------------------------------------------------------------ */

enum { REFUSED_MS = 100, CALLS_A_MS = 20 };

static int read_one(void *arg unused_arg)
{
    char b;

    add_relaxed(&right, quoit_read(ends[0], &b, 1) == 1);
    quoit_wg_done(&done);
    return 0;
}

/* One more than the queue holds: all but one wait for their submission. */
static int fill_the_queue(void *arg unused_arg)
{
    static char bytes[RING_ENTRIES + 1];

    right = 0;
    faults.until = nanotime() + REFUSED_MS * INT64_C(1000000);
    store_relaxed(&fault_calls, 0);
    quoit_wg_add(&done, RING_ENTRIES + 1);
    for (int i = 0; i <= RING_ENTRIES; i++)
        quoit_go(read_one, NULL);
    quoit_yield();
    if (write(ends[1], bytes, sizeof bytes) != (ssize_t)sizeof bytes)
        bail("write");
    quoit_wg_wait(&done);
    faults.until = 0;
    return (int)load_relaxed(&fault_calls);
}

static void nobody_spins_while_the_kernel_takes_nothing(void)
{
    int n;

    setenv("GOMAXPROCS", "1", 1);
    if (pipe(ends) < 0)
        bail("pipe");
    n = quoit_main(fill_the_queue, NULL);
    is_int(right, RING_ENTRIES + 1, "all are read, when the kernel takes them again");
    ok(n < CALLS_A_MS * REFUSED_MS, "it was asked %d times in %d ms", n, REFUSED_MS);
    close(ends[0]);
    close(ends[1]);
}

/* ---- how long an entry waits ----------------------------------------------------------------- */

/* As if the first had been there for `ns`, and as many switches been made since. */
static int rest_after(int64_t ns, uint64_t switches)
{
    struct m *mp = m_get();
    struct poller *pl = mp->poller;
    uint32_t rest;

    do {
        pl->since = nanotime() - ns;
        pl->tick = mp->p->schedtick - switches;
        pl->span = 10;
        rest = netpoll_rest(mp);
    } while (nanotime() - pl->since > ns + ROUND_NS / 10);
    return (int)rest;
}

static int rests(void *arg unused_arg)
{
    int n = rest_after(ROUND_NS / 5, 0);

    ok(n == 8 || n == 9, "of ten switches as long as the last ones were eight are left (%d)", n);
    n = rest_after(ROUND_NS / 5, 1);
    ok(n == 3 || n == 4, "of those as long as one has been since, three (%d)", n);
    is_int(rest_after(ROUND_NS / 2, 1), 0, "after half of the time it is old");
    return 0;
}

/* ---- a chain that is cut in two -------------------------------------------------------------- */

enum { CUT_STEPS = 4 };

static void read_from(struct quoit_io io[CUT_STEPS], char *in)
{
    io[0] = (struct quoit_io){ .what = QUOIT_IO_OPENAT, .chain = QUOIT_IO_THEN, .fd = AT_FDCWD,
                               .buf = "/dev/zero", .flags = O_RDONLY | O_CLOEXEC };
    io[1] = (struct quoit_io){ .what = QUOIT_IO_READ, .chain = QUOIT_IO_THEN,
                               .fd = QUOIT_IO_OPENED, .buf = in, .n = 1 };
    io[2] = io[1];
    io[3] = (struct quoit_io){ .what = QUOIT_IO_CLOSE, .fd = QUOIT_IO_OPENED };
}

/* What was not taken with its chain is not done by itself, and the ring is none the worse. */
static int cut_everywhere(void *arg unused_arg)
{
    struct quoit_io io[CUT_STEPS];
    char in = 1;

    for (uint32_t few = 1; few < CUT_STEPS; few++) {
        read_from(io, &in);
        store_relaxed(&faults.take, few);
        is_int(quoit_io_batch(io, CUT_STEPS), 0, "the kernel takes %d of a chain", (int)few);
        for (uint32_t i = 0; i < CUT_STEPS; i++)
            is_int(io[i].result, i >= few ? -ECANCELED : i % 3 != 0, "its step %d", (int)i);
        read_from(io, &in);
        is_int(quoit_io_batch(io, CUT_STEPS), 0, "the next one is taken whole");
        is_int(io[0].result + io[1].result + io[2].result + io[3].result, 2, "and done");
    }
    return 0;
}

/* ---- one M without a ring ------------------------------------------------------------------- */

static int no_more_rings(void *arg)
{
    *(int *)arg = forbid(__NR_io_uring_setup, ENOMEM);
    return read_much(NULL);
}

/* The probe had a ring, the thread's own is refused. In a child, as the filter stays. */
static int in_child(void *arg unused_arg)
{
    int e = 0, n;

    fault_calls = 0;
    n = quoit_main(no_more_rings, &e);

    /* Only what the probe tried went to a ring. */
    return e < 0 ? 99 : n == GOROUTINES * READS && fault_calls == 2 ? 0 : 1;
}

static void a_thread_without_a_ring_is_helped(void)
{
    struct child c;

    setenv("GOMAXPROCS", "1", 1);
    child_run(&c, in_child, NULL);
    if (child_end(&c) == 99) {
        skip("seccomp cannot be had here");
        skip("so there is no message");
        return;
    }
    is_int(child_end(&c), 0, "set-up refused half way: the reads are right all the same");
    ok(child_said(&c, "gets no ring (ENOMEM)"), "and a warning says why, as rings were asked for");
}

/* ---- tags ----------------------------------------------------------------------------------- */

static struct ring *made_up_completion(struct poller *pl, uint64_t tag)
{
    struct io_uring_sqe *sqe;

    memset(pl, 0, sizeof *pl);
    ring_init(&pl->ring);
    probe_rings(&probed);
    if (ring_open(&pl->ring, RING_ENTRIES, probed.flags) < 0)
        bail("no ring");
    sqe = ring_entry(&pl->ring);
    sqe->opcode = IORING_OP_NOP;
    sqe->user_data = tag;
    ring_submit(&pl->ring);
    return &pl->ring;
}

static int take_stale(void *arg)
{
    struct op op = { .gen = 4, .left = 1 };
    struct glist ready = { NULL, NULL, 0 };

    made_up_completion(arg, op_tag(&op, op.gen));
    op.gen = 5;
    return (int)op_take(arg, true, &ready);
}

static void a_stale_completion_ends_the_program(struct poller *pl)
{
    struct child c;

    child_run(&c, take_stale, pl);
    ok(child_said(&c, "an operation that is over"), "a completion with an old tag is fatal");
}

static void a_wake_up_is_left_to_a_sleeper(struct poller *pl)
{
    struct glist ready = { NULL, NULL, 0 };
    struct ring *r = made_up_completion(pl, UD_WAKE);
    static const uint32_t asleep[] = { IN_RING, WOKEN };

    pl->armed = true;
    for (size_t i = 0; i < array_len(asleep); i++) {
        store_relaxed(&pl->wake, asleep[i]);
        is_int(op_take(pl, false, &ready), 0, "another thread takes nothing");
        ok(ring_ready(r) && pl->armed, "the wake-up is still there");
    }
    is_int(op_take(pl, true, &ready), 0, "the owner takes it");
    ok(!ring_ready(r) && !pl->armed, "and knows that the read is gone");
    ring_close(r);
}

static void a_wake_up_keeps_nothing_back(struct poller *pl)
{
    struct glist ready = { NULL, NULL, 0 };
    struct quoit_g *gp = aligned_alloc(CACHELINE, 256);
    struct op op = { .gen = 7, .left = 1, .gp = gp };
    struct ring *r = made_up_completion(pl, UD_WAKE);
    struct io_uring_sqe *sqe = ring_entry(r);

    sqe->opcode = IORING_OP_NOP;
    sqe->user_data = op_tag(&op, op.gen);
    ring_submit(r);
    pl->armed = true;
    store_relaxed(&pl->wake, AWAKE);
    is_int(op_take(pl, false, &ready), 1, "of an owner who computes another thread takes all");
    ok(!pl->armed, "and the owner is to have a read again");
    ring_close(r);
    free(gp);
}

static void the_last_completion_counts(struct poller *pl)
{
    struct glist ready = { NULL, NULL, 0 };
    struct quoit_g *gp = aligned_alloc(CACHELINE, 256);
    struct op op = { .gen = 9, .left = 2, .gp = gp };
    struct ring *r = made_up_completion(pl, op_tag(&op, op.gen));
    struct io_uring_sqe *sqe;

    is_int(op_take(pl, true, &ready), 0, "the first of two completions readies nobody");
    sqe = ring_entry(r);
    sqe->opcode = IORING_OP_NOP;
    sqe->user_data = op_tag(&op, op.gen);
    ring_submit(r);
    is_int(op_take(pl, true, &ready), 1, "the second does");
    ok(ready.first == gp && ready.last == gp && ready.n == 1, "the right one");
    ring_close(r);
    free(gp);
}

/* ---------------------------------------------------------------------------------------------- */

int main(void)
{
    struct poller *pl = aligned_alloc(CACHELINE, sizeof *pl);
    char name[] = "/tmp/quoit-op-XXXXXX";

    probe_rings(&probed);
    if (probed.error < 0)
        skip_all("%s", probed.why);
    setenv("QUOIT_IO", "uring", 1);
    file = mkstemp(name);
    unlink(name);
    for (uint32_t i = 0; i < SPAN / 4; i++)
        if (write(file, &i, sizeof i) != sizeof i)
            bail("cannot write to %s", name);
    nothing_is_lost("1", 0, 0, "no trouble");
    nothing_is_lost("2", 0, 0, "no trouble");
    nothing_is_lost("1", 3, 0, "two of three refused");
    nothing_is_lost("2", 3, 0, "two of three refused");
    nothing_is_lost("1", 0, 400, "the first 400 refused");
    nothing_is_lost("2", 0, 400, "the first 400 refused");
    spoiled_reads_are_done_again("1");
    spoiled_reads_are_done_again("2");
    what_is_under_way_is_cancelled(false);
    what_is_under_way_is_cancelled(true);
    what_cannot_be_cancelled_is_left_behind();
    nobody_spins_while_the_kernel_takes_nothing();
    setenv("GOMAXPROCS", "1", 1);
    quoit_main(rests, NULL);
    if (probed.direct)
        quoit_main(cut_everywhere, NULL);
    a_thread_without_a_ring_is_helped();
    a_stale_completion_ends_the_program(pl);
    a_wake_up_is_left_to_a_sleeper(pl);
    a_wake_up_keeps_nothing_back(pl);
    the_last_completion_counts(pl);
    close(file);
    free(pl);
    return done_testing();
}
