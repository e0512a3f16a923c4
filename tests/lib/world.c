/* SPDX-License-Identifier: BSD-3-Clause
 * world.c - a runtime of k P's, and what tests of goroutines all need
 */
#include "world.h"

#include "late.h"
#include "tap.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifndef SANITIZED
#define SANITIZED 0
#endif

enum { STRESS_SECONDS = 2 };

int world_run(int procs, quoit_fn fn, void *arg)
{
    char n[16];

    if (procs > 0) {
        snprintf(n, sizeof n, "%d", procs);
        setenv("GOMAXPROCS", n, 1);
    }
    return quoit_main(fn, arg);
}

static struct quoit_g *go_joinable(quoit_fn fn, void *arg, size_t stack_size)
{
    struct quoit_attr attr = QUOIT_ATTR_INIT;
    struct quoit_g *g;
    int e;

    attr.handle = &g;
    attr.stack_size = stack_size;
    e = quoit_go_attr(&attr, fn, arg);
    if (e != 0)
        bail("quoit_go_attr: %s", strerror(-e));
    return g;
}

struct quoit_g *world_go(quoit_fn fn, void *arg)
{
    return go_joinable(fn, arg, 0);
}

struct quoit_g *world_go_apart(quoit_fn fn, void *arg)
{
    return go_joinable(fn, arg, 64 << 10);
}

int world_join(struct quoit_g *g)
{
    int result = 0, e = quoit_join(g, &result);

    if (e != 0)
        bail("quoit_join: %s", strerror(-e));
    return result;
}

void world_spawn(quoit_fn fn, void *arg)
{
    int e = quoit_go(fn, arg);

    if (e != 0)
        bail("quoit_go: %s", strerror(-e));
}

static bool in_valgrind(void)
{
    const char *preload = getenv("LD_PRELOAD");

    return preload != NULL && strstr(preload, "vgpreload") != NULL;
}

bool world_is_slow(void)
{
    return SANITIZED || in_valgrind();
}

bool world_handlers_are_late(void)
{
    return HANDLERS_ARE_LATE || in_valgrind();
}

bool world_is_soak(void)
{
    return getenv("QUOIT_STRESS_SECONDS") != NULL;
}

int world_rounds(int n)
{
    const char *seconds = getenv("QUOIT_STRESS_SECONDS");

    if (seconds != NULL && atoi(seconds) > 1)
        n *= atoi(seconds);
    if (world_is_slow())
        n /= 10;
    return n > 0 ? n : 1;
}

int world_procs(void)
{
    struct quoit_stats st = { .size = sizeof st };

    quoit_stats(&st);
    return (int)st.procs;
}

int64_t world_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

int64_t world_until(void)
{
    const char *seconds = getenv("QUOIT_STRESS_SECONDS");

    return world_now() + (seconds != NULL ? atoi(seconds) : STRESS_SECONDS) * INT64_C(1000000000);
}

uint64_t world_seed(void)
{
    const char *again = getenv("QUOIT_STRESS_SEED");
    uint64_t seed = again != NULL ? strtoull(again, NULL, 0) : (uint64_t)world_now();

    diag("QUOIT_STRESS_SEED=%llu repeats this", (unsigned long long)seed);
    return seed;
}

uint32_t world_rand(uint64_t *state)
{
    uint64_t x = *state += UINT64_C(0x9e3779b97f4a7c15);

    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return (uint32_t)(x >> 32);
}
