/* SPDX-License-Identifier: BSD-3-Clause
 * echo.h - what a server that is measured, and the load on it, have in common
 *
 * The server is the child that every run is; the load is a process of its own,
 * on a cpu of its own, the same for all servers. It is over when the load has
 * closed all its connections.
 */
#ifndef BENCH_ECHO_H
#define BENCH_ECHO_H

#include <stdatomic.h>
#include <stdint.h>

#include "bench.h"

/* Bytes: of a message; of a server's buffer, as servers do not know the size of
 * messages. */
enum { ECHO_MESSAGE = 64, ECHO_BUFFER = 1024 };

enum { ECHO_RATE, ECHO_P50, ECHO_P99, ECHO_CPU, ECHO_CALLS };

/* Both processes have this page. The load reads `calls` when it starts and stops
 * counting; who keeps no such count while it runs is asked for it. */
struct echo_shared {
    uint64_t calls; /* system calls of the server, by store_relaxed */
    uint64_t told[2];
    _Atomic int answered; /* how many of told[] are there */
};

struct echo {
    const struct job *job;
    int conns, port;
    int listener; /* O_NONBLOCK */
    int ask[2];   /* a pipe: each byte asks for one of told[] */
    bool asks;    /* `calls` is not kept */
    struct echo_shared *shared;
};

typedef int (*echo_server)(struct echo *e);

/* load.c: connects, and does not return. */
void load_run(struct echo *e) __attribute__((noreturn));

/* peers/ */
int epoll_serve(struct echo *e);
int uring_serve(struct echo *e);
int uring_serve_once(struct echo *e);

#endif
