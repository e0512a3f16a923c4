/* SPDX-License-Identifier: BSD-3-Clause
 * iolatency.c - how long those wait whose data is there while every core computes
 *
 * Another process writes the time into four pipes each millisecond; a goroutine
 * at each pipe reads it and looks how late it is. Meanwhile goroutines, two a P, compute,
 * and yield each 200 us; with iolatency-hog they never do. The writer wants a core
 * too, for some microseconds a round, and takes the time when it has one: what it
 * waits for is not in the figure.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "quoit.h"
#include "quoit_io.h"

#include "iolatency.h"
#include "measure.h"

enum { P50, P99, P999 };
enum { COMPUTERS = 2, THREADS_MAX = 1024, ROUND_NS = 1000000, SPARE_NS = 1000000000 };
enum { YIELDS = 0, HOGS = 1 };

static struct iolatency l;
static quoit_wg readers, computers;
static _Atomic int failed;

static void __attribute__((noreturn)) write_stamps(const int *fd, uint64_t rounds)
{
    struct timespec rest = {0, ROUND_NS};

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    prctl(PR_SET_TIMERSLACK, 1);
    for (uint64_t i = 0; i < rounds; i++) {
        nanosleep(&rest, NULL);
        for (int s = 0; s < IOLATENCY_STREAMS; s++) {
            uint64_t now = now_ns();

            if (write(fd[s], &now, sizeof(now)) != sizeof(now))
                _exit(1);
        }
    }
    _exit(0);
}

int iolatency_begin(struct iolatency *run, const struct job *job)
{
    uint64_t rounds = (job->iterations + IOLATENCY_STREAMS - 1) / IOLATENCY_STREAMS;
    int to[IOLATENCY_STREAMS];
    pid_t pid;

    run->job = job;
    run->us = calloc(rounds * IOLATENCY_STREAMS, sizeof(*run->us));
    if (!run->us)
        return -ENOMEM;
    for (int s = 0; s < IOLATENCY_STREAMS; s++) {
        int fd[2];

        if (pipe(fd) < 0)
            return -errno;
        run->pipe[s] = fd[0];
        to[s] = fd[1];
    }
    run->patience = now_ns() + 2 * rounds * ROUND_NS + SPARE_NS;
    pid = fork();
    if (pid == 0)
        write_stamps(to, rounds);
    for (int s = 0; s < IOLATENCY_STREAMS; s++)
        close(to[s]);
    return pid < 0 ? -errno : 0;
}

void iolatency_note(struct iolatency *run, uint64_t stamp)
{
    run->us[run->n++] = (double)(now_ns() - stamp) / 1000;
}

int iolatency_end(struct iolatency *run)
{
    struct outcome *out = run->job->out;
    uint64_t n = run->n;
    int status = 0;

    while (wait(&status) < 0 && errno == EINTR) {
    }
    if (status || n < run->job->iterations)
        return outcome_wrong(out, "%llu stamps were read instead of %llu", (unsigned long long)n,
                             (unsigned long long)run->job->iterations);
    sort_doubles(run->us, n);
    out->count = n;
    out->elapsed_ns = n / IOLATENCY_STREAMS * ROUND_NS;
    out->value[P50] = percentile_sorted(run->us, n, 50);
    out->value[P99] = percentile_sorted(run->us, n, 99);
    out->value[P999] = run->us[(n * 999 + 999) / 1000 - 1];
    free(run->us);
    return 0;
}

/* Were it never taken from those who compute, the run would not end. */
static bool go_on(void)
{
    return !l.over && (l.job->factor == YIELDS || now_ns() < l.patience);
}

/* ---- on Quoit */

static int reader(void *arg)
{
    int fd = (int)(intptr_t)arg;
    uint64_t stamp;
    ssize_t got;

    while ((got = quoit_read(fd, &stamp, sizeof(stamp))) == sizeof(stamp))
        iolatency_note(&l, stamp);
    if (got)
        failed = got < 0 ? (int)got : -EIO;
    quoit_wg_done(&readers);
    return 0;
}

static int computer(void *arg)
{
    (void)arg;
    while (go_on()) {
        compute_for(IOLATENCY_SLICE_NS);
        if (l.job->factor == YIELDS)
            quoit_yield();
    }
    quoit_wg_done(&computers);
    return 0;
}

static int wait_and_compute(void *arg)
{
    int n = COMPUTERS * l.job->procs, err = 0;

    (void)arg;
    quoit_wg_add(&readers, IOLATENCY_STREAMS);
    for (int s = 0; s < IOLATENCY_STREAMS && !err; s++)
        err = quoit_go(reader, (void *)(intptr_t)l.pipe[s]);
    quoit_wg_add(&computers, n);
    for (int i = 0; i < n && !err; i++)
        err = quoit_go(computer, NULL);
    if (err)
        return err;
    quoit_wg_wait(&readers);
    l.over = true;
    quoit_wg_wait(&computers);
    return failed;
}

static int iolatency(void *job)
{
    int err = iolatency_begin(&l, job);

    if (!err)
        err = quoit_main(wait_and_compute, NULL);
    return err ? err : iolatency_end(&l);
}

/* ---- kernel threads */

static void *thread_reader(void *arg)
{
    int fd = (int)(intptr_t)arg;
    uint64_t stamp;

    while (read(fd, &stamp, sizeof(stamp)) == sizeof(stamp))
        iolatency_note(&l, stamp);
    return NULL;
}

static void *thread_computer(void *arg)
{
    while (go_on()) {
        compute_for(IOLATENCY_SLICE_NS);
        if (l.job->factor == YIELDS)
            sched_yield();
    }
    return arg;
}

static int thread_iolatency(void *job)
{
    int err = iolatency_begin(&l, job), n = 0, wanted = COMPUTERS * l.job->procs;
    static pthread_t computing[THREADS_MAX];
    pthread_t reading[IOLATENCY_STREAMS];

    if (err)
        return err;
    for (; n < wanted && n < THREADS_MAX && !err; n += err == 0)
        err = -pthread_create(&computing[n], NULL, thread_computer, NULL);
    for (int s = 0; s < IOLATENCY_STREAMS && !err; s++)
        err = -pthread_create(&reading[s], NULL, thread_reader, (void *)(intptr_t)l.pipe[s]);
    if (err)
        return err;
    for (int s = 0; s < IOLATENCY_STREAMS; s++)
        pthread_join(reading[s], NULL);
    l.over = true;
    while (n > 0)
        pthread_join(computing[--n], NULL);
    return iolatency_end(&l);
}

const struct workload workload_iolatency = {
    .name = "iolatency",
    .group = "iolatency",
    .about = "data is there for a goroutine while every P computes, yielding each 200 us",
    .metrics = {[P50] = {.name = "iolatency-p50", .unit = "us"},
                [P99] = {.name = "iolatency-p99", .unit = "us", .ratio = true},
                [P999] = {.name = "iolatency-p999", .unit = "us"}},
    .sides = {{.peer = "quoit", .run = iolatency, .factor = YIELDS},
              {.peer = "epoll", .run = epoll_iolatency},
              {.peer = "pthread", .run = thread_iolatency, .factor = YIELDS}},
    .widths = ONE | ALL,
    .start = 4000,
    .fixed = true,
};

const struct workload workload_iolatency_hog = {
    .name = "iolatency-hog",
    .group = "iolatency",
    .about = "the same where those who compute never yield",
    .metrics = {[P50] = {.name = "iolatency-hog-p50", .unit = "us"},
                [P99] = {.name = "iolatency-hog-p99", .unit = "us", .ratio = true},
                [P999] = {.name = "iolatency-hog-p999", .unit = "us"}},
    .sides = {{.peer = "quoit", .run = iolatency, .factor = HOGS},
              {.peer = "pthread", .run = thread_iolatency, .factor = HOGS}},
    .widths = ONE | ALL,
    .start = 4000,
    .fixed = true,
};
