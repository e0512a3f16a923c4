/* SPDX-License-Identifier: BSD-3-Clause
 * test-io-signal.c - signals that goroutines wait for, and names that are looked up
 */
#include "quoit.h"
#include "quoit_io.h"

#include "tap.h"
#include "world.h"

#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { WAITERS = 5 };

static const int64_t ms = 1000000;
static sigset_t set;

static int wait_for_one(void *arg)
{
    return quoit_signal_wait(arg, INT64_MAX);
}

/* Signals of one number that are pending are one, so each is sent when the one before was taken. */
static void each_of_several_gets_one(void)
{
    struct quoit_g *g[WAITERS];
    int left = WAITERS;
    int64_t until = world_now() + 20000 * ms;

    for (int i = 0; i < WAITERS; i++)
        g[i] = world_go_apart(wait_for_one, &set);
    quoit_sleep(5 * ms);
    while (left > 0 && world_now() < until) {
        kill(getpid(), SIGTERM);
        for (int i = 0; i < WAITERS; i++) {
            int r = 0;

            if (g[i] == NULL || quoit_join_until(g[i], &r, world_now() + ms) < 0)
                continue;
            g[i] = NULL;
            left -= r == SIGTERM;
        }
    }
    is_int(left, 0, "each of %d waiters has got a signal", WAITERS);
    while (quoit_signal_wait(&set, world_now() + ms) == SIGTERM)
        ;
}

static void waits_end(void)
{
    sigset_t other;
    struct quoit_g *g = world_go_apart(wait_for_one, &set);

    is_int(quoit_signal_wait(&set, world_now() + 2 * ms), -ETIMEDOUT, "no signal by the deadline");
    quoit_set_deadline(world_now() + 2 * ms);
    is_int(quoit_signal_wait(&set, INT64_MAX), -ETIMEDOUT, "nor by that of the goroutine");
    quoit_set_deadline(INT64_MAX);
    quoit_cancel(g);
    is_int(world_join(g), -ECANCELED, "one is cancelled");
    sigemptyset(&other);
    sigaddset(&other, SIGWINCH);
    is_int(quoit_signal_wait(&other, 0), -EINVAL, "a signal that is not blocked");
    is_int(quoit_signal_wait(NULL, 0), -EINVAL, "no set");
    kill(getpid(), SIGTERM);
    is_int(quoit_signal_wait(&set, INT64_MAX), SIGTERM, "one that is there already");
}

static void *alone(void *arg)
{
    is_int(quoit_signal_wait(&set, world_now() + 2 * ms), -ETIMEDOUT, "in a plain thread: none");
    kill(getpid(), SIGTERM);
    is_int(quoit_signal_wait(&set, INT64_MAX), SIGTERM, "in a plain thread: one");
    return arg;
}

static void names_are_looked_up(void)
{
    struct addrinfo hints = { .ai_family = AF_INET, .ai_socktype = SOCK_STREAM,
                              .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV };
    struct addrinfo *found = NULL;

    is_int(quoit_getaddrinfo("127.0.0.1", "80", &hints, &found), 0, "a number is found");
    ok(found != NULL && found->ai_family == AF_INET, "and is what it should be");
    freeaddrinfo(found);
    is_int(quoit_getaddrinfo("no number", NULL, &hints, &found), EAI_NONAME, "a wrong one is not");
    quoit_set_deadline(1);
    is_int(quoit_getaddrinfo("127.0.0.1", NULL, &hints, &found), -ETIMEDOUT, "past the deadline");
    quoit_set_deadline(INT64_MAX);
    /* What was given up comes to its end. */
    while (quoit_num_goroutine() > 1)
        quoit_sleep(ms);
}

static int body(void *arg)
{
    pthread_t t;

    each_of_several_gets_one();
    waits_end();
    names_are_looked_up();
    if (pthread_create(&t, NULL, alone, arg) != 0)
        bail("pthread_create");
    pthread_join(t, NULL);
    return 0;
}

int main(void)
{
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    for (int procs = 1; procs <= 2; procs++)
        is_int(world_run(procs, body, NULL), 0, "%d P's", procs);
    return done_testing();
}
