/* SPDX-License-Identifier: BSD-3-Clause
 * signal.c - waiting for signals
 *
 * A signalfd for each call, which is polled like any descriptor: so it ends early like any wait,
 * and works with and without rings. Several may wait for one signal; who finds it gone waits on. A
 * thread in sigwait was turned down: it would wait for all goroutines, and somebody would have to
 * say to it for which signals, each time that changes.
 */
#include "compiler.h"

#include "os_linux.h"
#include "quoit.h"

#include "quoit_io.h"

#include "op.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

/* Else it would do what it does by default, and nobody would be told. */
static bool is_blocked(const sigset_t *set)
{
    sigset_t now;

    pthread_sigmask(SIG_BLOCK, NULL, &now);
    for (int s = 1; s <= SIGRTMAX; s++)
        if (sigismember(set, s) == 1 && sigismember(&now, s) == 0)
            return false;
    return true;
}

/* errno is looked at and put back in functions of their own, none of which parks: its address is
 * the thread's. */
static noinline int signal_open(const sigset_t *set)
{
    int saved = errno, fd = signalfd(-1, set, SFD_NONBLOCK | SFD_CLOEXEC);

    fd = fd < 0 ? -errno : fd;
    errno = saved;
    return fd;
}

static noinline int signal_take(int fd)
{
    struct signalfd_siginfo info;
    int saved = errno, r;

    do
        r = read(fd, &info, sizeof info) == sizeof info ? (int)info.ssi_signo : -errno;
    while (r == -EINTR);
    errno = saved;
    return r;
}

static noinline void signal_close(int fd)
{
    int saved = errno;

    close(fd);
    errno = saved;
}

/* The signal, or an error. */
static int wait_readable(int fd)
{
    struct op op = { .desc = &ops[OP_POLL], .fd = fd, .flags = POLLIN };
    long r;

    do {
        r = op_run(&op);
        if (r >= 0)
            r = signal_take(fd);
    } while (r == -EAGAIN);
    return (int)r;
}

static int wait_by_fd(const sigset_t *set, int64_t deadline)
{
    int64_t before;
    int fd = signal_open(set), r;

    if (fd < 0)
        return fd;
    before = quoit_set_deadline(deadline);
    if (before < deadline)
        (void)quoit_set_deadline(before);
    r = wait_readable(fd);
    (void)quoit_set_deadline(before);
    signal_close(fd);
    return r;
}

/* In a thread that is not ours. */
static int wait_plain(const sigset_t *set, int64_t deadline)
{
    int saved = errno, r;

    do {
        int64_t left = deadline - nanotime();
        struct timespec ts = { 0, 0 };

        if (left > 0)
            ts = (struct timespec){ left / 1000000000, left % 1000000000 };
        r = sigtimedwait(set, NULL, deadline == INT64_MAX ? NULL : &ts);
        r = r < 0 ? -errno : r;
    } while (r == -EINTR);
    errno = saved;
    return r == -EAGAIN ? -ETIMEDOUT : r;
}

int quoit_signal_wait(const void *set, int64_t deadline_ns)
{
    if (set == NULL || !is_blocked(set))
        return -EINVAL;
    return quoit_self() != NULL ? wait_by_fd(set, deadline_ns) : wait_plain(set, deadline_ns);
}
