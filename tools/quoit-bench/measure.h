/* SPDX-License-Identifier: BSD-3-Clause
 * measure.h - the clock and the few numbers made from many
 *
 * Nothing here knows what is measured, so a unit test can include it alone.
 */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

static inline uint64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* What all threads of this process have used, in user and in kernel mode. */
static inline uint64_t cpu_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* Computes until `ns` have passed: a goroutine or thread that keeps its core. */
static inline void compute_for(uint64_t ns)
{
    uint64_t end = now_ns() + ns;

    while (now_ns() < end) {
    }
}

static inline int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static inline void sort_doubles(double *v, size_t n)
{
    qsort(v, n, sizeof(*v), compare_doubles);
}

/* Of n >= 1 sorted numbers: the middle one, or the mean of the two in the
 * middle. */
static inline double median_sorted(const double *v, size_t n)
{
    return n % 2 ? v[n / 2] : (v[n / 2 - 1] + v[n / 2]) / 2;
}

/* Of n >= 1 sorted numbers: the smallest that at least p per cent of them do
 * not exceed. */
static inline double percentile_sorted(const double *v, size_t n, unsigned p)
{
    size_t rank = (n * p + 99) / 100;

    return v[rank > 0 ? rank - 1 : 0];
}

/* Of n >= 1 sorted numbers: that below which a part q of them lies, between two
 * of them where it has to be. */
static inline double quantile_sorted(const double *v, size_t n, double q)
{
    double at = q * (double)(n - 1);
    size_t i = (size_t)at;

    return i + 1 < n ? v[i] + (at - (double)i) * (v[i + 1] - v[i]) : v[n - 1];
}

/* How many operations take `target` ns, when `count` of them took `elapsed` ns. */
static inline uint64_t iterations_for(uint64_t target, uint64_t count, uint64_t elapsed)
{
    double n = (double)target * (double)count / (double)(elapsed ? elapsed : 1);

    return n < 1 ? 1 : (uint64_t)n;
}

#endif
