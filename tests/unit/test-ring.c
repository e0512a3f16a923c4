/* SPDX-License-Identifier: BSD-3-Clause
 * test-ring.c - one ring of the kernel's, owner and others
 */
#include "ring.h"

#include "env.h"
#include "os_linux.h"

#include "probe.h"
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SMALL = 8 };

static struct ring *r;

static void nop(uint64_t tag)
{
    struct io_uring_sqe *sqe = ring_entry(r);

    sqe->opcode = IORING_OP_NOP;
    sqe->user_data = tag;
}

static unsigned take_all(void)
{
    unsigned n = 0;

    while (ring_peek(r) != NULL) {
        ring_took(r);
        n++;
    }
    return n;
}

static void each_set_of_flags_opens_or_is_refused(void)
{
    unsigned flags, last = 1;
    int opened = 0;

    for (int k = 0; ring_flags(k, &flags); k++) {
        int e = ring_open(r, SMALL, flags);

        last = flags;
        ok(e == 0 || e == -EINVAL, "flags 0x%x: %d", flags, e);
        if (e < 0) {
            is_int(r->fd, -1, "a ring that did not open has no descriptor");
            continue;
        }
        opened++;
        nop(7);
        is_int(ring_submit(r), 1, "takes an operation");
        is_int(ring_peek(r)->user_data, 7, "and completes it");
        ring_took(r);
        ring_close(r);
        is_int(r->fd, -1, "closed");
    }
    is_int(last, 0, "the last set is none");
    ok(opened > 0, "one of them opens");
}

/* The first set is the experiment's, and then what completes while the owner is elsewhere stays
 * with it until it asks. */
static void deferred_completions_are_fetched(void)
{
    unsigned flags, plain;
    struct io_uring_sqe *sqe;
    char byte = 0;
    int fds[2], e;

    ring_flags(0, &plain);
    env.experiments = EXPERIMENT_DEFER;
    ring_flags(0, &flags);
    env.experiments = 0;
    ok(!(plain & IORING_SETUP_DEFER_TASKRUN), "not deferred by default");
    is_int(flags, (plain & ~IORING_SETUP_COOP_TASKRUN) | IORING_SETUP_DEFER_TASKRUN |
                      IORING_SETUP_SINGLE_ISSUER,
           "the experiment changes one thing, and what that needs");
    e = ring_open(r, SMALL, flags);
    if (e == -EINVAL) {
        skip("this kernel has no IORING_SETUP_DEFER_TASKRUN");
        return;
    }
    is_int(e, 0, "a ring opens with it");
    if (pipe(fds) != 0)
        bail("no pipe");
    sqe = ring_entry(r);
    sqe->opcode = IORING_OP_READ;
    sqe->fd = fds[0];
    sqe->addr = (uintptr_t)&byte;
    sqe->len = 1;
    sqe->user_data = 9;
    is_int(ring_submit(r), 1, "a read that has to wait");
    is_int(write(fds[1], "x", 1), 1, "what it waits for comes");
    ok(!ring_ready(r), "nothing is to be seen");
    ok(ring_held_back(r), "but the ring says that something waits");
    ring_fetch(r);
    ok(ring_ready(r), "the owner fetches it");
    is_int(ring_peek(r)->user_data, 9, "the right one");
    is_int(ring_peek(r)->res, 1, "with its result");
    ring_took(r);
    ring_close(r);
    close(fds[0]);
    close(fds[1]);
}

static unsigned take(unsigned n)
{
    unsigned got = 0;

    while ((got += take_all()) < n)
        if (ring_wait(r, INT64_MAX) < 0)
            break;
    return got;
}

/* The experiment's set is the first one again. While it is awake the thread of the kernel takes
 * what it is shown, and after that it has to be woken. */
static void a_thread_of_the_kernel_submits(void)
{
    const uint32_t never = 0;
    unsigned flags;

    env.experiments = EXPERIMENT_SQPOLL;
    ring_flags(0, &flags);
    env.experiments = 0;
    ok(flags & IORING_SETUP_SQPOLL, "the experiment asks for a thread of the kernel");
    if (ring_open(r, SMALL, flags) < 0) {
        skip("no IORING_SETUP_SQPOLL here");
        return;
    }
    for (int i = 0; i < 100; i++) {
        while (ring_pending(r) > r->sq_mask)
            ring_room(r);
        nop(1);
        is_int(ring_submit(r), 1, "what is shown counts as submitted");
        is_int(ring_left(r), 0, "and nothing is left over");
    }
    is_int(take(100), 100, "all of it completes");
    while (!(load_relaxed(r->sq_flags) & IORING_SQ_NEED_WAKEUP))
        ring_wait(r, nanotime() + 1000000);
    nop(2);
    is_int(ring_submit(r), 1, "when the thread sleeps");
    is_int(take(1), 1, "it is woken");
    nop(3);
    ring_drop_pending(r);
    is_int(ring_submit(r), 0, "dropped entries are not submitted to it");
    ok(!ring_watch(r, INT64_MAX, &never, 0), "who looks for completions that do not come gives up");
    ok(!ring_watch(r, 0, &never, 1), "at once when somebody calls");
    ring_close(r);
}

static void polled_rings_share_a_thread(void)
{
    struct ring *second = aligned_alloc(CACHELINE, sizeof *second);
    unsigned flags;

    env.experiments = EXPERIMENT_SQPOLL;
    ring_flags(0, &flags);
    env.experiments = 0;
    ring_init(second);
    if (ring_open(r, SMALL, flags) < 0) {
        skip("no IORING_SETUP_SQPOLL here");
    } else {
        is_int(ring_open(second, SMALL, flags), 0, "a second one opens");
        ring_close(r);
        is_int(ring_open(r, SMALL, flags), 0, "and one more when the first has gone");
        nop(4);
        ring_submit(r);
        is_int(take(1), 1, "which works");
        ring_close(r);
        ring_close(second);
    }
    free(second);
}

static void a_full_queue_has_no_entry(void)
{
    for (int i = 0; i < SMALL; i++)
        nop((uint64_t)i + 10);
    ok(ring_entry(r) == NULL, "no entry when all are filled in");
    is_int(ring_pending(r), SMALL, "all are pending");
    ok(!ring_ready(r), "nothing completes before it is submitted");
    is_int(ring_submit(r), SMALL, "all are taken");
    is_int(ring_pending(r), 0, "none is pending");
    for (int i = 0; i < SMALL; i++) {
        is_int(ring_peek(r)->user_data, i + 10, "completed in order");
        ring_took(r);
    }
    ok(ring_peek(r) == NULL && !ring_ready(r), "and no more");
    is_int(ring_submit(r), 0, "nothing to submit");
}

static void what_is_given_back_is_not_submitted(void)
{
    nop(1);
    nop(2);
    ring_unget(r);
    is_int(ring_submit(r), 1, "the one before is submitted");
    is_int(take_all(), 1, "and completes");
    nop(3);
    nop(4);
    ring_drop_pending(r);
    is_int(ring_submit(r), 0, "dropped entries are not submitted");
    nop(5);
    is_int(ring_submit(r), 1, "later ones are");
    is_int(ring_peek(r)->user_data, 5, "the right one");
    take_all();
}

static void entries_are_clean(void)
{
    struct io_uring_sqe none = { 0 };

    for (int i = 0; i < 2 * SMALL; i++) {
        struct io_uring_sqe *sqe = ring_entry(r);

        if (memcmp(sqe, &none, sizeof none) != 0)
            break;
        memset(sqe, 0xff, sizeof *sqe);
        ring_unget(r);
        nop(0);
        ring_submit(r);
    }
    is_int(take_all(), 2 * SMALL, "every entry is zero, used before or not");
}

/* Where completions find no room the kernel keeps them; only the owner brings them out. */
static void overflow_is_seen_and_fetched(void)
{
    unsigned room = r->cq_mask + 1, sent = 0, got;

    while (sent < room + 3) {
        nop(sent++);
        ring_submit(r);
    }
    got = take_all();
    is_int(got, room, "the queue was full");
    ok(ring_held_back(r), "the kernel says that it holds some back");
    ring_fetch(r);
    got += take_all();
    is_int(got, sent, "none was lost");
    ok(!ring_held_back(r), "and nothing is held back any more");
}

static void a_wait_ends_at_its_deadline(void)
{
    int64_t before = nanotime();

    is_int(ring_wait(r, before + 5000000), 0, "nothing completes");
    ok(nanotime() >= before + 5000000, "the deadline has passed");
    is_int(ring_wait(r, before), 0, "a deadline in the past");
    nop(1);
    is_int(ring_wait(r, INT64_MAX), 0, "a wait submits");
    is_int(take_all(), 1, "and ends when something has completed");
}

static void *take_in_thread(void *arg)
{
    unsigned *n = arg;

    while (*n < SMALL) {
        if (!ring_trylock(r))
            continue;
        *n += take_all();
        ring_unlock(r);
    }
    return NULL;
}

static void another_thread_may_take(void)
{
    unsigned n = 0;
    pthread_t t;

    pthread_create(&t, NULL, take_in_thread, &n);
    for (int i = 0; i < SMALL; i++) {
        nop(1);
        ring_submit(r);
    }
    pthread_join(t, NULL);
    is_int(n, SMALL, "another thread took all completions");
    ok(!ring_ready(r), "the owner finds none");
}

static void the_lock_is_held_once(void)
{
    ok(ring_trylock(r), "the lock is free");
    ok(!ring_trylock(r), "and then it is not");
    ring_unlock(r);
    ok(ring_trylock(r), "and free again");
    ring_unlock(r);
}

static void a_closed_ring_cannot_be_locked(unsigned flags)
{
    struct ring *closed = aligned_alloc(CACHELINE, sizeof *closed);

    ring_init(closed);
    ok(!ring_trylock(closed), "not before it is opened");
    is_int(ring_open(closed, SMALL, flags), 0, "opened");
    ok(ring_trylock(closed), "then it can");
    ring_unlock(closed);
    ring_close(closed);
    ok(!ring_trylock(closed), "and not after it was closed");
    free(closed);
}

/* The memory of the ring is not in the child, nor its descriptor after exec. */
static void a_child_has_no_part_in_it(void)
{
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        char *page = (char *)((uintptr_t)r->sqes & ~(uintptr_t)4095);
        unsigned char there;

        _exit(mincore(page, 4096, &there) < 0 && errno == ENOMEM ? 0 : 1);
    }
    waitpid(pid, &status, 0);
    is_int(status, 0, "the child does not see the entries");
    ok(fcntl(r->fd, F_GETFD) & FD_CLOEXEC, "the descriptor is closed by exec");
}

int main(void)
{
    struct probe p;

    probe_rings(&p);
    if (p.error < 0)
        skip_all("%s", p.why);
    r = aligned_alloc(CACHELINE, sizeof *r);
    ring_init(r);
    each_set_of_flags_opens_or_is_refused();
    deferred_completions_are_fetched();
    a_thread_of_the_kernel_submits();
    polled_rings_share_a_thread();
    if (ring_open(r, SMALL, p.flags) < 0)
        bail("no ring after the probe had one");
    a_full_queue_has_no_entry();
    what_is_given_back_is_not_submitted();
    entries_are_clean();
    overflow_is_seen_and_fetched();
    a_wait_ends_at_its_deadline();
    another_thread_may_take();
    the_lock_is_held_once();
    a_closed_ring_cannot_be_locked(p.flags);
    a_child_has_no_part_in_it();
    ring_close(r);
    free(r);
    return done_testing();
}
