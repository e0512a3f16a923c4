/* SPDX-License-Identifier: BSD-3-Clause
 * iolatency-epoll.c - iolatency as one would write it by hand on epoll
 *
 * A thread a cpu, bound to it, that computes in slices of 200 us and asks between
 * them, without waiting, what has come. Each has its part of the pipes.
 */
#include <errno.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "iolatency.h"
#include "measure.h"

static struct iolatency l;
static _Atomic int open_pipes = IOLATENCY_STREAMS, failed;

static void read_stamp(int epoll, int fd)
{
    uint64_t stamp;
    ssize_t got = read(fd, &stamp, sizeof(stamp));

    if (got == sizeof(stamp)) {
        iolatency_note(&l, stamp);
    } else {
        epoll_ctl(epoll, EPOLL_CTL_DEL, fd, NULL);
        open_pipes--;
    }
}

static int watch(unsigned index, int epoll)
{
    for (unsigned s = index; s < IOLATENCY_STREAMS; s += (unsigned)l.job->procs) {
        struct epoll_event ev = {.events = EPOLLIN, .data.fd = l.pipe[s]};

        if (epoll_ctl(epoll, EPOLL_CTL_ADD, l.pipe[s], &ev) < 0)
            return -errno;
    }
    return 0;
}

static void *loop(void *arg)
{
    unsigned index = (unsigned)(uintptr_t)arg;
    int epoll = epoll_create1(EPOLL_CLOEXEC), err = epoll < 0 ? -errno : watch(index, epoll);

    machine_take_cpu((int)index);
    if (err)
        failed = err;
    while (open_pipes > 0 && !failed) {
        struct epoll_event ev[IOLATENCY_STREAMS];
        int n = epoll_wait(epoll, ev, IOLATENCY_STREAMS, 0);

        for (int i = 0; i < n; i++)
            read_stamp(epoll, ev[i].data.fd);
        compute_for(IOLATENCY_SLICE_NS);
    }
    close(epoll);
    return NULL;
}

int epoll_iolatency(void *job)
{
    static pthread_t id[IOLATENCY_STREAMS];
    int err = iolatency_begin(&l, job);
    uintptr_t n = 0;

    /* More threads than pipes would only compute. */
    for (; n < (unsigned)l.job->procs && n < IOLATENCY_STREAMS && !err; n += err == 0)
        err = -pthread_create(&id[n], NULL, loop, (void *)n);
    if (err)
        failed = err;
    while (n > 0)
        pthread_join(id[--n], NULL);
    return failed ? failed : iolatency_end(&l);
}
