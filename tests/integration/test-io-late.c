/* SPDX-License-Identifier: BSD-3-Clause
 * test-io-late.c - one that computes, or blocks in foreign code, does not hold up what was asked
 * for before it on the same thread
 *
 * The environment says which way the calls go; what a program sees is the same.
 */
#include "quoit.h"
#include "quoit_io.h"

#include "tap.h"

#include <errno.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { PATIENCE_S = 20, FIRST = 2 };

static int quiet[2], full[2];
static quoit_wg first, done;
static uint32_t was_read;
static sem_t told;

static uint64_t handed_over(void)
{
    struct quoit_stats st = { .size = sizeof st };

    quoit_stats(&st);
    return st.ring_ops + st.helper_ops;
}

static int reads(void *arg)
{
    char byte;

    is_int(quoit_read(*(int *)arg, &byte, 1), 1, "a read ends");
    if (arg == &quiet[0]) {
        quoit_wg_done(&first);
        return 0;
    }
    __atomic_store_n(&was_read, 1, __ATOMIC_RELAXED);
    sem_post(&told);
    quoit_wg_done(&done);
    return 0;
}

static time_t seconds(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec;
}

static int computes(void *arg)
{
    time_t until = seconds() + PATIENCE_S;

    (void)arg;
    while (!__atomic_load_n(&was_read, __ATOMIC_RELAXED) && seconds() < until)
        ;
    ok(__atomic_load_n(&was_read, __ATOMIC_RELAXED), "while somebody computes");
    quoit_wg_done(&done);
    return 0;
}

static int blocks(void *arg)
{
    struct timespec until;
    int e;

    (void)arg;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += PATIENCE_S;
    /* The thread may get a signal of Quoit's, as if it still computed. */
    while ((e = sem_timedwait(&told, &until)) < 0 && errno == EINTR)
        ;
    is_int(e, 0, "while somebody blocks");
    quoit_wg_done(&done);
    return 0;
}

/* The newest of the two begins. What it asks for gathers: there are operations in flight. */
static void beside(int (*other)(void *))
{
    __atomic_store_n(&was_read, 0, __ATOMIC_RELAXED);
    sem_init(&told, 0, 0);
    if (write(full[1], "x", 1) != 1)
        bail("write");
    quoit_wg_add(&done, 2);
    quoit_go(other, NULL);
    quoit_go(reads, &full[0]);
    quoit_wg_wait(&done);
    sem_destroy(&told);
}

static int body(void *arg)
{
    uint64_t before = handed_over();

    (void)arg;
    quoit_wg_add(&first, FIRST);
    for (int i = 0; i < FIRST; i++)
        quoit_go(reads, &quiet[0]);
    while (handed_over() < before + FIRST)
        quoit_yield();
    beside(computes);
    beside(blocks);
    is_int(write(quiet[1], "yz", FIRST), FIRST, "for those that came first");
    quoit_wg_wait(&first);
    return 0;
}

int main(void)
{
    if (pipe(quiet) < 0 || pipe(full) < 0)
        bail("pipe");
    setenv("GOMAXPROCS", "1", 1);
    is_int(quoit_main(body, NULL), 0, "quoit_main");
    return done_testing();
}
