/* SPDX-License-Identifier: BSD-3-Clause
 * wake.c - an idle P is given work; and what a program that only waits costs
 *
 * One goroutine computes all the time. Now and then it spawns another and
 * computes on, so the child can run only if another P is brought to take it.
 * Between two of these it computes long enough for that P to have given up
 * looking for work and gone to sleep.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "quoit.h"
#include "quoit_io.h"

#include "bench.h"
#include "measure.h"

enum {
    ASLEEP_NS = 300000,      /* several times what a P looks for work before it sleeps */
    GIVE_UP_NS = 1000000000, /* nobody will come any more */
    IDLERS = 10,
    SETTLE_NS = 200000000,
};

static _Atomic uint64_t ran_at;

static int says_when(void *arg)
{
    (void)arg;
    ran_at = now_ns();
    return 0;
}

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t cond = PTHREAD_COND_INITIALIZER;
static int work, no_more; /* under mutex */

static void *thread_says_when(void *arg)
{
    pthread_mutex_lock(&mutex);
    while (!no_more) {
        if (work) {
            work = 0;
            ran_at = now_ns();
        }
        pthread_cond_wait(&cond, &mutex);
    }
    pthread_mutex_unlock(&mutex);
    return arg;
}

static void thread_tell(int *what)
{
    pthread_mutex_lock(&mutex);
    *what = 1;
    pthread_cond_signal(&cond);
    pthread_mutex_unlock(&mutex);
}

static int give_work(bool in_quoit)
{
    if (in_quoit)
        return quoit_go(says_when, NULL);
    thread_tell(&work);
    return 0;
}

static int wake_once(const struct job *job, bool in_quoit, double *us)
{
    uint64_t t0;
    int err;

    compute_for(ASLEEP_NS);
    ran_at = 0;
    t0 = now_ns();
    err = give_work(in_quoit);
    if (err)
        return err;
    while (!ran_at)
        if (now_ns() - t0 > GIVE_UP_NS)
            return outcome_wrong(job->out, "no other core took the work within a second");
    *us = (double)(ran_at - t0) / 1000;
    return 0;
}

static int wake_often(const struct job *job, bool in_quoit)
{
    uint64_t n = job->iterations, t0 = now_ns();
    double *us = calloc(n, sizeof(*us));
    int err = us ? 0 : -ENOMEM;

    for (uint64_t i = 0; i < n && !err; i++)
        err = wake_once(job, in_quoit, &us[i]);
    if (!err) {
        job->out->elapsed_ns = now_ns() - t0;
        job->out->count = n;
        sort_doubles(us, n);
        job->out->value[0] = percentile_sorted(us, n, 50);
        job->out->value[1] = percentile_sorted(us, n, 99);
    }
    free(us);
    return err;
}

static int wake(void *job)
{
    return wake_often(job, true);
}

static int thread_wake(void *job)
{
    pthread_t id;
    int err = pthread_create(&id, NULL, thread_says_when, NULL);

    if (err)
        return -err;
    err = wake_often(job, false);
    thread_tell(&no_more);
    pthread_join(id, NULL);
    return err;
}

static struct {
    int pipe[2];
    quoit_sema gate, heard;
    quoit_wg gone;
    int seconds;
    double percent;
} idle;

static int idler(void *arg)
{
    (void)arg;
    quoit_sema_wait(&idle.gate);
    quoit_wg_done(&idle.gone);
    return 0;
}

static int listener(void *arg)
{
    char byte;
    ssize_t *result = arg;

    *result = quoit_read(idle.pipe[0], &byte, 1);
    quoit_sema_post(&idle.heard);
    return 0;
}

/* A plain thread, asleep: what it would cost as a goroutine must not be in the
 * figure. */
static void *watch(void *arg)
{
    struct timespec settle = {0, SETTLE_NS}, rest = {idle.seconds, 0};
    uint64_t t0, cpu0;

    nanosleep(&settle, NULL);
    t0 = now_ns();
    cpu0 = cpu_ns();
    nanosleep(&rest, NULL);
    idle.percent = 100.0 * (double)(cpu_ns() - cpu0) / (double)(now_ns() - t0);
    if (write(idle.pipe[1], "", 1) != 1)
        abort();
    return arg;
}

static int idle_start(ssize_t *heard, pthread_t *id)
{
    int err = 0;

    quoit_wg_add(&idle.gone, IDLERS);
    for (int i = 0; i < IDLERS && !err; i++)
        err = quoit_go(idler, NULL);
    if (!err)
        err = quoit_go(listener, heard);
    if (!err)
        err = -pthread_create(id, NULL, watch, NULL);
    return err;
}

static int wake_idle(void *arg)
{
    const struct job *job = arg;
    ssize_t heard = 0;
    pthread_t id;
    int err;

    idle.seconds = job->options->idle_seconds;
    if (pipe(idle.pipe) < 0)
        return -errno;
    err = idle_start(&heard, &id);
    if (err)
        return err;
    quoit_sema_wait(&idle.heard);
    pthread_join(id, NULL);
    for (int i = 0; i < IDLERS; i++)
        quoit_sema_post(&idle.gate);
    quoit_wg_wait(&idle.gone);
    if (heard != 1)
        return outcome_wrong(job->out, "the read of a pipe gave %zd instead of the byte", heard);
    job->out->value[0] = idle.percent;
    job->out->count = job->iterations;
    job->out->elapsed_ns = (uint64_t)idle.seconds * 1000000000u;
    return 0;
}

const struct workload workload_wake = {
    .name = "wake",
    .group = "wake",
    .about = "an idle P is given a goroutine by one that computes on: until it runs there",
    .heading = "Waking a sleeping core",
    .thread_means = "The same with a kernel thread that waits on a condition variable.",
    .metrics = {{.name = "wake-p50",
                 .unit = "us",
                 .means = "A sleeping core is given work: until that work runs.",
                 .tour = true},
                {.name = "wake-p99", .unit = "us"}},
    .sides = {{.peer = "quoit", .run = wake, .in_quoit = true},
              {.peer = "pthread", .run = thread_wake}},
    .widths = MANY,
    .start = 20,
};

const struct workload workload_wake_idle = {
    .name = "wake-idle",
    .group = "wake",
    .about = "processor time while all goroutines wait, one of them in a read (--idle)",
    .heading = "Doing nothing",
    .metrics = {{.name = "wake-idle-cpu",
                 .unit = "%",
                 .means = "Of one core, while every goroutine waits, one of them in a read.",
                 .tour = true}},
    .sides = {{.peer = "quoit", .run = wake_idle, .in_quoit = true}},
    .widths = ALL,
    .start = 1,
    .fixed = true,
};
