/* SPDX-License-Identifier: BSD-3-Clause
 * echo.c - a server that sends back what it gets, on one cpu, and a load on another
 *
 * On Quoit it is the plain program: a goroutine accepts, and each connection is
 * a goroutine that reads and writes. load.c is the other end, peers/ the servers
 * written by hand.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "quoit.h"
#include "quoit_io.h"

#include "echo.h"
#include "loopring.h"

#include "atomic.h"

enum { BACKLOG = 4096, DESCRIPTORS_SPARE = 100 };
enum { FEW = 64, MANY_CONNS = 1000, CROWD = 10000 };

/* ---- on Quoit */

static struct echo echo;
static quoit_wg gone;

static bool send_all(int fd, const char *data, size_t n)
{
    while (n > 0) {
        ssize_t sent = quoit_write(fd, data, n);

        if (sent < 0)
            return false;
        data += sent;
        n -= (size_t)sent;
    }
    return true;
}

static int connection(void *arg)
{
    int fd = (int)(intptr_t)arg;
    char buf[ECHO_BUFFER];
    ssize_t n;

    do
        n = quoit_read(fd, buf, sizeof(buf));
    while (n > 0 && send_all(fd, buf, (size_t)n));
    quoit_close(fd);
    quoit_wg_done(&gone);
    return 0;
}

/* Answers what the load asks when it starts and stops counting. */
static int clerk(void *arg)
{
    char byte;

    (void)arg;
    for (int i = 0; i < 2 && quoit_read(echo.ask[0], &byte, 1) == 1; i++) {
        echo.shared->told[i] = quoit_system_calls();
        echo.shared->answered++;
    }
    quoit_wg_done(&gone);
    return 0;
}

static int accept_one(void *arg)
{
    int fd = accept4(echo.listener, NULL, NULL, SOCK_CLOEXEC);

    (void)arg;
    return fd < 0 ? -errno : fd;
}

static int serve_in_quoit(void *arg)
{
    int err;

    (void)arg;
    quoit_wg_add(&gone, echo.conns + 1);
    err = quoit_go(clerk, NULL);
    for (int i = 0; i < echo.conns && !err; i++) {
        int fd = quoit_block(accept_one, NULL);

        err = fd < 0 ? fd : quoit_go(connection, (void *)(intptr_t)fd);
    }
    if (!err)
        quoit_wg_wait(&gone);
    return err;
}

static int quoit_serve(struct echo *e)
{
    fcntl(e->listener, F_SETFL, 0);
    return quoit_main(serve_in_quoit, NULL);
}

/* ---- kernel threads */

static uint64_t calls; /* a */

/* A blocking send sends all. */
static void *thread_connection(void *arg)
{
    int fd = (int)(intptr_t)arg;
    char buf[ECHO_BUFFER];
    ssize_t n;

    while ((n = recv(fd, buf, sizeof(buf), 0)) > 0) {
        if (send(fd, buf, (size_t)n, MSG_NOSIGNAL) != n)
            break;
        store_relaxed(&echo.shared->calls, add_relaxed(&calls, 2) + 2);
    }
    close(fd);
    return NULL;
}

static int thread_serve(struct echo *e)
{
    pthread_t *id = calloc((size_t)e->conns, sizeof(*id));
    int n = 0, err = id ? 0 : -ENOMEM;
    pthread_attr_t attr;

    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, PEER_STACK);
    fcntl(e->listener, F_SETFL, 0);
    while (n < e->conns && !err) {
        int fd = accept4(e->listener, NULL, NULL, SOCK_CLOEXEC);

        err = fd < 0 ? -errno
                     : -pthread_create(&id[n], &attr, thread_connection, (void *)(intptr_t)fd);
        n += err == 0;
    }
    pthread_attr_destroy(&attr);
    while (n > 0 && !err)
        pthread_join(id[--n], NULL);
    free(id);
    return err;
}

/* ---- a run */

static int listen_somewhere(struct echo *e)
{
    struct sockaddr_in at = {.sin_family = AF_INET};
    socklen_t len = sizeof(at);
    int on = 1;

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    e->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    /* What is accepted inherits it. */
    if (e->listener < 0 ||
        setsockopt(e->listener, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) < 0 ||
        bind(e->listener, (struct sockaddr *)&at, sizeof(at)) < 0 ||
        listen(e->listener, BACKLOG) < 0 ||
        getsockname(e->listener, (struct sockaddr *)&at, &len) < 0)
        return outcome_wrong(e->job->out, "a socket on 127.0.0.1: %s", strerror(errno));
    e->port = ntohs(at.sin_port);
    return 0;
}

static int begin(struct echo *e, const struct job *job)
{
    struct rlimit files;

    e->job = job;
    e->conns = job->factor;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    e->shared = mmap(NULL, sizeof(*e->shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                     -1, 0);
    if (e->shared == MAP_FAILED || pipe(e->ask) < 0)
        return -errno;
    return listen_somewhere(e);
}

static int run_echo(const struct job *job, echo_server serve, bool asks)
{
    int err = begin(&echo, job), status = 0;
    pid_t load;

    if (err)
        return err;
    echo.asks = asks;
    load = fork();
    if (load < 0)
        return -errno;
    if (load == 0)
        load_run(&echo);
    err = serve(&echo);
    if (err)
        return err;
    while (waitpid(load, &status, 0) < 0 && errno == EINTR) {
    }
    return status ? outcome_wrong(job->out, "the load ended with status %d", status) : 0;
}

static int quoit_echo(void *job)
{
    return run_echo(job, quoit_serve, true);
}

static int epoll_echo(void *job)
{
    return run_echo(job, epoll_serve, false);
}

static int uring_echo(void *job)
{
    return run_echo(job, uring_serve, false);
}

static int uring_echo_once(void *job)
{
    return run_echo(job, uring_serve_once, false);
}

static int thread_echo(void *job)
{
    return run_echo(job, thread_serve, false);
}

/* ---- the workloads */

static const char *why_not(int conns)
{
    static char why[160];
    struct rlimit files;

    if (machine_cpus() < 2)
        return "it needs a cpu for the server and one for the load";
    getrlimit(RLIMIT_NOFILE, &files);
    if (files.rlim_max >= (rlim_t)conns + DESCRIPTORS_SPARE)
        return loop_ring_why_not();
    snprintf(why, sizeof(why), "it needs %d descriptors, and %llu are allowed: raise ulimit -Hn",
             conns + DESCRIPTORS_SPARE, (unsigned long long)files.rlim_max);
    return why;
}

static const char *why_not_few(const struct options *o)
{
    (void)o;
    return why_not(FEW);
}

static const char *why_not_many(const struct options *o)
{
    (void)o;
    return why_not(MANY_CONNS);
}

static const char *why_not_crowd(const struct options *o)
{
    (void)o;
    return why_not(CROWD);
}

#define METRICS(name_)                                                                             \
    {                                                                                              \
        [ECHO_RATE] = {.name = name_,                                                              \
                       .unit = "1/s",                                                              \
                       .means = "Requests answered in a second, from another core.",               \
                       .tour = true,                                                               \
                       .ratio = true},                                                             \
        [ECHO_P50] = {.name = name_ "-p50", .unit = "us"},                                         \
        [ECHO_P99] = {.name = name_ "-p99", .unit = "us", .ratio = true},                          \
        [ECHO_CPU] = {.name = name_ "-cpu",                                                        \
                      .unit = "us",                                                                \
                      .means = "Processor time of the server for a request.",                      \
                      .tour = true,                                                                \
                      .ratio = true},                                                              \
        [ECHO_CALLS] = {.name = name_ "-calls", .unit = "calls/op"},                               \
    }

#define LOOPS(conns)                                                                               \
    {.peer = "quoit", .run = quoit_echo, .factor = conns},                                         \
        {.peer = "epoll", .run = epoll_echo, .factor = conns},                                     \
        {.peer = "uring", .run = uring_echo, .factor = conns},                                     \
        {.peer = "uring-once", .run = uring_echo_once, .factor = conns},

const struct workload workload_echo_64 = {
    .name = "echo-64",
    .group = "echo",
    .about = "a server on one cpu, 64 connections from another, 64 bytes there and back",
    .heading = "A server with 64 connections, and the same written by hand on epoll and liburing",
    .thread_means = "The same with a kernel thread for each connection.",
    .tour_iterations = 60000,
    .metrics = METRICS("echo-64"),
    .sides = {LOOPS(FEW){.peer = "pthread", .run = thread_echo, .factor = FEW}},
    .one_always = true,
    .start = 300000,
    .fixed = true,
    .why_not = why_not_few,
};

const struct workload workload_echo_1000 = {
    .name = "echo-1000",
    .group = "echo",
    .about = "the same with 1,000 connections",
    .metrics = METRICS("echo-1000"),
    .sides = {LOOPS(MANY_CONNS){.peer = "pthread", .run = thread_echo, .factor = MANY_CONNS}},
    .one_always = true,
    .start = 300000,
    .fixed = true,
    .why_not = why_not_many,
};

const struct workload workload_echo_10000 = {
    .name = "echo-10000",
    .group = "echo",
    .about = "the same with 10,000 connections",
    .metrics = METRICS("echo-10000"),
    .sides = {LOOPS(CROWD)},
    .one_always = true,
    .start = 300000,
    .fixed = true,
    .why_not = why_not_crowd,
};
