/* SPDX-License-Identifier: BSD-3-Clause
 * profiled.c - a program for test-profile.py to take profiles of
 *
 *     profiled FILE HZ SECONDS    goroutines compute for so long; a profile of that into FILE
 *     profiled                    the same for a second, whatever QUOIT_CPUPROFILE says
 *     profiled misuse             calls that are refused; what each returned, a line each
 *
 * Three quarters of the time go into heavy(), one into light(), from goroutines that hop between
 * P's: each yields after every turn.
 */
#include <errno.h>
#include <fcntl.h>
#include <quoit.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { WORKERS = 8, TURN = 20000 };

static const char *path;
static int hz;
static double seconds = 1;
static quoit_wg left;

static inline __attribute__((always_inline)) void turns(int n)
{
    volatile unsigned sink = 0;

    for (int i = 0; i < n * TURN; i++)
        sink = sink * 17 + 1;
}

static __attribute__((noinline)) void heavy(void)
{
    turns(3);
}

static __attribute__((noinline)) void light(void)
{
    turns(1);
}

static double now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static int work(void *arg)
{
    double until = *(double *)arg;

    while (now() < until) {
        heavy();
        quoit_yield();
        light();
        quoit_yield();
    }
    quoit_wg_done(&left);
    return 0;
}

static void compute(void)
{
    struct quoit_attr attr = { .size = sizeof attr, .name = "worker", .node = QUOIT_NODE_ANY };
    double until = now() + seconds;

    quoit_wg_add(&left, WORKERS);
    for (int i = 0; i < WORKERS; i++)
        if (quoit_go_attr(&attr, work, &until) < 0)
            abort();
    quoit_wg_wait(&left);
}

static int body(void *arg)
{
    int fd, e;

    (void)arg;
    if (path == NULL) {
        compute();
        return 0;
    }
    fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    e = quoit_profile_start(hz, fd);
    if (e == 0) {
        compute();
        e = quoit_profile_stop();
    }
    if (e < 0)
        fprintf(stderr, "%s\n", strerror(-e));
    return -e;
}

static void told(const char *what, int e)
{
    printf("%s %s\n", what, e == 0 ? "0" : strerrorname_np(-e));
}

static int misuse(void *arg)
{
    int fd = open("/dev/null", O_WRONLY), reads = open("/dev/null", O_RDONLY);
    int full = open("/dev/full", O_WRONLY);

    (void)arg;
    told("stop", quoit_profile_stop());
    told("too-often", quoit_profile_start(1001, fd));
    told("below-zero", quoit_profile_start(-1, fd));
    told("closed", quoit_profile_start(100, 999));
    told("read-only", quoit_profile_start(100, reads));
    told("start", quoit_profile_start(1000, fd));
    told("again", quoit_profile_start(100, fd));
    told("stop", quoit_profile_stop());
    told("start", quoit_profile_start(1, full));
    told("full", quoit_profile_stop());
    told("start", quoit_profile_start(100, fd));
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "misuse") == 0) {
        int null = open("/dev/null", O_WRONLY);

        told("not-running", quoit_profile_start(100, null));
        /* The second run finds nothing of the profile that the first one has left open. */
        return quoit_main(misuse, NULL) | quoit_main(misuse, NULL);
    }
    if (argc == 4) {
        path = argv[1];
        hz = atoi(argv[2]);
        seconds = atof(argv[3]);
    }
    return quoit_main(body, NULL);
}
