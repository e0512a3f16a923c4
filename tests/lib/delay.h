/* SPDX-License-Identifier: BSD-3-Clause
 * delay.h - random waits, for stress tests that look for rare orders
 *
 *     stress_begin();                     prints the seed; QUOIT_STRESS_SEED repeats it
 *     uint64_t dice = stress_dice(k);     each thread its own
 *     while (!stress_over()) {
 *         delay(&dice);                   before a step that races
 *
 * Most waits are none, some are a few instructions, few are long enough for the thread to lose its
 * cpu: a race needs now the one and now the other.
 */
#ifndef QUOIT_TESTS_DELAY_H
#define QUOIT_TESTS_DELAY_H

#include "compiler.h"
#include "cpu.h"
#include "tap.h"

#include <sched.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

enum { STRESS_SECONDS = 2 };

static uint64_t stress_seed;
static time_t stress_end;

static unused_arg time_t stress_now(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec;
}

static unused_arg void stress_begin(void)
{
    const char *seed = getenv("QUOIT_STRESS_SEED"), *seconds = getenv("QUOIT_STRESS_SECONDS");

    stress_seed = seed ? strtoull(seed, NULL, 0) : cpu_cycles();
    stress_end = stress_now() + (seconds ? atol(seconds) : STRESS_SECONDS);
    diag("QUOIT_STRESS_SEED=%llu", (unsigned long long)stress_seed);
}

static unused_arg bool stress_over(void)
{
    return stress_now() >= stress_end;
}

static unused_arg uint64_t stress_dice(int thread)
{
    return (stress_seed + (uint64_t)thread) * UINT64_C(0x9e3779b97f4a7c15) | 1;
}

static unused_arg uint32_t roll(uint64_t *dice)
{
    *dice ^= *dice << 13;
    *dice ^= *dice >> 7;
    *dice ^= *dice << 17;
    return (uint32_t)(*dice >> 32);
}

static unused_arg void delay(uint64_t *dice)
{
    uint32_t n = roll(dice) % 1024;

    if (n < 4)
        sched_yield();
    else if (n < 128)
        for (uint32_t i = 0; i < n; i++)
            cpu_relax();
}

#endif
