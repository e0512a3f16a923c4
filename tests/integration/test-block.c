/* SPDX-License-Identifier: BSD-3-Clause
 * test-block.c - quoit_block as programs see it: nothing of Quoit's disturbs a call, others run
 *
 * Calls that the kernel does not restart show EINTR at the slightest disturbance. Each is made
 * while other goroutines have I/O in flight. The same in a marked call, where it is as
 * quoit_syscall_enter(3) says: some are disturbed.
 */
#include "quoit.h"
#include "quoit_io.h"

#include "child.h"
#include "tap.h"
#include "world.h"

#include <errno.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ipc.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { WAIT_MS = 100, BLOCKED = 200, QUEUED = 50, TALKERS = 4 };

static struct timespec after_ms(clockid_t clock, long ms)
{
    struct timespec t;

    clock_gettime(clock, &t);
    t.tv_nsec += ms * 1000000;
    t.tv_sec += t.tv_nsec / 1000000000;
    t.tv_nsec %= 1000000000;
    return t;
}

/* ---- the calls: each waits for nothing and says how that ended, -errno ---------------------- */

static const struct timespec wait_time = { 0, WAIT_MS * 1000000 };
static int quiet[2]; /* nobody writes */

static int result(long r)
{
    return r < 0 ? -errno : (int)r;
}

static int call_epoll(void *arg)
{
    struct epoll_event e;
    int fd = epoll_create1(EPOLL_CLOEXEC), r = result(epoll_wait(fd, &e, 1, WAIT_MS));

    (void)arg;
    close(fd);
    return r;
}

static int call_poll(void *arg)
{
    (void)arg;
    return result(poll(&(struct pollfd){ .fd = quiet[0], .events = POLLIN }, 1, WAIT_MS));
}

static int call_select(void *arg)
{
    struct timeval t = { 0, WAIT_MS * 1000 };

    (void)arg;
    return result(select(0, NULL, NULL, NULL, &t));
}

static int call_recv(void *arg)
{
    struct timeval t = { 0, WAIT_MS * 1000 };
    int s[2], r;
    char b;

    (void)arg;
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, s) < 0)
        return -errno;
    setsockopt(s[0], SOL_SOCKET, SO_RCVTIMEO, &t, sizeof t);
    r = result(recv(s[0], &b, 1, 0));
    close(s[0]);
    close(s[1]);
    return r;
}

static int call_semop(void *arg)
{
    struct sembuf down = { 0, -1, 0 };
    int id = semget(IPC_PRIVATE, 1, 0600), r;

    (void)arg;
    if (id < 0)
        return -errno;
    r = result(semtimedop(id, &down, 1, &wait_time));
    semctl(id, 0, IPC_RMID);
    return r;
}

static int call_sem_wait(void *arg)
{
    struct timespec until = after_ms(CLOCK_REALTIME, WAIT_MS);
    sem_t s;
    int r;

    (void)arg;
    sem_init(&s, 0, 0);
    r = result(sem_timedwait(&s, &until));
    sem_destroy(&s);
    return r;
}

static int call_sigwait(void *arg)
{
    sigset_t set;

    (void)arg;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    return result(sigtimedwait(&set, NULL, &wait_time));
}

static int call_nanosleep(void *arg)
{
    (void)arg;
    return result(nanosleep(&wait_time, NULL));
}

static int call_futex(void *arg)
{
    static int word;

    (void)arg;
    return result(syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, &wait_time, NULL, 0));
}

/* ---- I/O in flight meanwhile ---------------------------------------------------------------- */

static int talking, talkers;

static int talk(void *arg)
{
    int in[2], out[2];
    char b = 0;

    (void)arg;
    if (pipe(in) < 0 || pipe(out) < 0)
        bail("pipe");
    while (__atomic_load_n(&talking, __ATOMIC_RELAXED)) {
        quoit_write(in[1], "a", 1);
        quoit_read(in[0], &b, 1);
        quoit_yield();
    }
    close(in[0]);
    close(in[1]);
    close(out[0]);
    close(out[1]);
    __atomic_sub_fetch(&talkers, 1, __ATOMIC_SEQ_CST);
    return 0;
}

static int wait_in_ring(void *arg)
{
    char b;

    (void)arg;
    (void)quoit_read(quiet[0], &b, 1);
    return 0;
}

static int read_slowly(void *arg)
{
    char b;

    return result(read(*(int *)arg, &b, 1));
}

static int write_late(void *arg)
{
    nanosleep(&wait_time, NULL);
    return result(write(*(int *)arg, "x", 1));
}

static int writer(void *arg)
{
    return quoit_block(write_late, arg);
}

static void a_read_of_a_pipe(void)
{
    struct quoit_g *g;
    int p[2];

    if (pipe(p) < 0)
        bail("pipe");
    g = world_go(writer, &p[1]);
    is_int(quoit_block(read_slowly, &p[0]), 1, "read of a pipe: its byte");
    is_int(world_join(g), 1, "from another blocked call");
    close(p[0]);
    close(p[1]);
}

struct call {
    const char *name;
    quoit_fn fn;
    int ends;
    bool goes_on; /* in a marked call too */
};

static void in_a_marked_call(const struct call *c)
{
    int r;

    quoit_syscall_enter();
    r = c->fn(NULL);
    quoit_syscall_exit();
    if (c->goes_on)
        is_int(r, c->ends, "so it does in a marked call");
    else
        ok(r == c->ends || r == -EINTR, "in a marked call so, or with EINTR (%d)", r);
}

static int undisturbed(void *arg)
{
    static const struct call calls[] = {
        { "epoll_wait", call_epoll, 0, false },
        { "poll", call_poll, 0, true },
        { "select", call_select, 0, true },
        { "recv with SO_RCVTIMEO", call_recv, -EAGAIN, false },
        { "semtimedop", call_semop, -EAGAIN, false },
        { "sem_timedwait", call_sem_wait, -ETIMEDOUT, true },
        { "sigtimedwait", call_sigwait, -EAGAIN, false },
        { "nanosleep", call_nanosleep, 0, true },
        { "futex wait", call_futex, -ETIMEDOUT, true },
    };

    (void)arg;
    talking = 1;
    talkers = TALKERS;
    world_spawn(wait_in_ring, NULL);
    for (int i = 0; i < TALKERS; i++)
        world_spawn(talk, NULL);
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++) {
        int64_t begun = world_now();
        int r = quoit_block(calls[i].fn, NULL);

        if (r == -ENOSYS || r == -EPERM || (r == -ENOSPC && calls[i].fn == call_semop)) {
            skip("%s cannot be had here", calls[i].name);
            continue;
        }
        is_int(r, calls[i].ends, "%s ends as if alone", calls[i].name);
        ok(world_now() - begun >= (WAIT_MS - 1) * INT64_C(1000000), "and not early");
        in_a_marked_call(&calls[i]);
    }
    a_read_of_a_pipe();
    __atomic_store_n(&talking, 0, __ATOMIC_RELAXED);
    while (__atomic_load_n(&talkers, __ATOMIC_SEQ_CST) > 0)
        quoit_yield();
    return 0;
}

/* ---- others run ----------------------------------------------------------------------------- */

#define PATIENCE_NS (60 * INT64_C(1000000000))

enum { ROUNDS = 100 };

static int now_blocked, most_blocked, rounds_while_blocked;
static int64_t patience;
static quoit_wg done;

static bool enough_seen(void)
{
    return __atomic_load_n(&most_blocked, __ATOMIC_RELAXED) > BLOCKED / 10 &&
           __atomic_load_n(&rounds_while_blocked, __ATOMIC_RELAXED) > ROUNDS;
}

static int block_once(void *arg)
{
    int n = __atomic_add_fetch(&now_blocked, 1, __ATOMIC_SEQ_CST);
    int most = __atomic_load_n(&most_blocked, __ATOMIC_SEQ_CST);

    (void)arg;
    while (n > most && !__atomic_compare_exchange_n(&most_blocked, &most, n, false,
                                                    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
        ;
    do
        nanosleep(&wait_time, NULL);
    while (!enough_seen() && world_now() < patience);
    __atomic_sub_fetch(&now_blocked, 1, __ATOMIC_SEQ_CST);
    return 1;
}

static int blocks(void *arg)
{
    __atomic_add_fetch((int *)arg, quoit_block(block_once, NULL), __ATOMIC_SEQ_CST);
    quoit_wg_done(&done);
    return 0;
}

static int computes(void *arg)
{
    int *sum = arg;

    while (__atomic_load_n(sum, __ATOMIC_SEQ_CST) < BLOCKED) {
        if (__atomic_load_n(&now_blocked, __ATOMIC_SEQ_CST) > 0)
            __atomic_add_fetch(&rounds_while_blocked, 1, __ATOMIC_RELAXED);
        quoit_yield();
    }
    return 0;
}

static int others_run(void *arg)
{
    struct quoit_g *g;
    int sum = 0;

    (void)arg;
    now_blocked = most_blocked = rounds_while_blocked = 0;
    patience = world_now() + PATIENCE_NS;
    quoit_wg_add(&done, BLOCKED);
    g = world_go_apart(computes, &sum);
    for (int i = 0; i < BLOCKED; i++)
        world_spawn(blocks, &sum);
    quoit_wg_wait(&done);
    world_join(g);
    is_int(sum, BLOCKED, "%d blocked calls ended", BLOCKED);
    ok(most_blocked > BLOCKED / 10, "%d of them at once", most_blocked);
    ok(rounds_while_blocked > ROUNDS, "one that computes went on meanwhile: %d rounds",
       rounds_while_blocked);
    return 0;
}

static int two_at_a_time(void *arg)
{
    int sum = 0;

    (void)arg;
    now_blocked = most_blocked = 0;
    patience = 0;
    quoit_wg_add(&done, QUEUED);
    for (int i = 0; i < QUEUED; i++)
        world_spawn(blocks, &sum);
    quoit_wg_wait(&done);
    is_int(sum, QUEUED, "QUOIT_MAXBLOCKED=2: all of %d calls end", QUEUED);
    is_int(most_blocked, 2, "two at a time");
    return 0;
}

/* ---- what the function finds ---------------------------------------------------------------- */

static int looks_around(void *arg)
{
    cpu_set_t *cpus = arg;
    sigset_t blocked;
    int ok_so_far;

    sched_getaffinity(0, sizeof *cpus, cpus);
    pthread_sigmask(SIG_SETMASK, NULL, &blocked);
    ok_so_far = sigismember(&blocked, SIGUSR1) && sigismember(&blocked, SIGURG);
    ok_so_far &= quoit_self() == NULL && quoit_goid() == 0;
    quoit_yield();
    /* From in here there is nothing to be parked. */
    return ok_so_far && quoit_block(call_poll, NULL) == 0;
}

static int surroundings(void *arg)
{
    cpu_set_t cpus;

    is_int(quoit_block(looks_around, &cpus), 1, "all signals blocked, no goroutine, [T] works");
    ok(CPU_EQUAL(&cpus, (cpu_set_t *)arg), "on the process's cpus");
    return 0;
}

static int parks(void *arg)
{
    (void)arg;
    quoit_park(NULL, NULL, "never");
    return 0;
}

static int misuses(void *arg)
{
    (void)arg;
    return quoit_block(parks, NULL);
}

static int misuse(void *arg)
{
    (void)arg;
    return quoit_main(misuses, NULL);
}

/* ---- the end, and the other ways in --------------------------------------------------------- */

static int stuck, go_on;

static int sticks(void *arg)
{
    *(int *)arg = 1;
    __atomic_store_n(&stuck, 1, __ATOMIC_SEQ_CST);
    while (!__atomic_load_n(&go_on, __ATOMIC_SEQ_CST))
        sched_yield();
    *(int *)arg = 2;
    return 0;
}

static int sticks_in_call(void *arg)
{
    int mine;

    (void)arg;
    return quoit_block(sticks, &mine);
}

static int leaves_one(void *arg)
{
    (void)arg;
    world_spawn(sticks_in_call, NULL);
    while (!__atomic_load_n(&stuck, __ATOMIC_SEQ_CST))
        quoit_yield();
    return 9;
}

static int nothing(void *arg)
{
    (void)arg;
    return 0;
}

static int left_behind(void *arg)
{
    int64_t until = world_now() + INT64_C(20000000000);

    (void)arg;
    if (quoit_main(leaves_one, NULL) != 9)
        return 1;
    if (quoit_main(nothing, NULL) != -EBUSY)
        return 2;
    __atomic_store_n(&go_on, 1, __ATOMIC_SEQ_CST);
    while (quoit_main(nothing, NULL) == -EBUSY)
        if (world_now() > until)
            return 3;
    return 0;
}

static int from_init(void *arg)
{
    __atomic_store_n((int *)arg, quoit_block(block_once, NULL), __ATOMIC_SEQ_CST);
    return 0;
}

static void with_quoit_init(void)
{
    int got = 0;

    is_int(quoit_init(NULL), 0, "quoit_init");
    is_int(quoit_block(block_once, NULL), 1, "from a thread that is not ours");
    world_spawn(from_init, &got);
    is_int(quoit_shutdown(INT64_MAX), 0, "the last goroutine is waited for, in its call");
    is_int(got, 1, "which ended");
}

int main(void)
{
    cpu_set_t cpus;
    struct child c;

    sched_getaffinity(0, sizeof cpus, &cpus);
    if (pipe(quiet) < 0)
        bail("pipe");
    world_run(2, undisturbed, NULL);
    world_run(1, undisturbed, NULL);
    world_run(1, others_run, NULL);
    world_run(2, others_run, NULL);
    world_run(2, surroundings, &cpus);
    setenv("QUOIT_MAXBLOCKED", "2", 1);
    world_run(2, two_at_a_time, NULL);
    unsetenv("QUOIT_MAXBLOCKED");
    with_quoit_init();
    child_run(&c, misuse, NULL);
    is_int(child_end(&c), 2, "what only goroutines may call ends the program");
    ok(child_said(&c, "quoit_park"), "and is named");
    child_run(&c, left_behind, NULL);
    is_int(child_end(&c), 0, "a call that goes on is left behind, and the next start waits for it");
    ok(child_said(&c, "quoit_block has not returned"), "a warning says so");
    return done_testing();
}
