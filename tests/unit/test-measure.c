/* SPDX-License-Identifier: BSD-3-Clause
 * test-measure.c - the numbers that quoit-bench makes from its runs
 */
#include "measure.h"

#include "tap.h"

static void median_is_the_middle(void)
{
    double odd[] = {5, 1, 3}, even[] = {4, 1, 3, 2}, one[] = {7};

    sort_doubles(odd, 3);
    ok(odd[0] <= odd[1] && odd[1] <= odd[2], "sorted");
    ok(median_sorted(odd, 3) == 3, "of three the second");
    sort_doubles(even, 4);
    ok(median_sorted(even, 4) == 2.5, "of four the mean of the two in the middle");
    ok(median_sorted(one, 1) == 7, "of one itself");
}

static void percentile_is_a_measured_value(void)
{
    double v[200];

    for (int i = 0; i < 200; i++)
        v[i] = i + 1;
    ok(percentile_sorted(v, 200, 99) == 198, "p99 of 200: two are above it");
    ok(percentile_sorted(v, 200, 50) == 100, "p50 of 200");
    ok(percentile_sorted(v, 200, 100) == 200, "p100 is the largest");
    ok(percentile_sorted(v, 200, 0) == 1, "p0 is the smallest");
    ok(percentile_sorted(v, 1, 99) == 1, "of one itself");
    ok(percentile_sorted(v, 10, 99) == 10, "p99 of ten is the largest");
}

static void quantile_lies_between(void)
{
    double v[] = {1, 2, 3, 4, 5, 6, 8}, one[] = {7};

    ok(quantile_sorted(v, 7, 0.5) == 4, "of seven the middle one");
    ok(quantile_sorted(v, 7, 0.25) == 2.5, "the lower quartile, between the second and the third");
    ok(quantile_sorted(v, 7, 0.75) == 5.5, "the upper one, between the fifth and the sixth");
    ok(quantile_sorted(v, 7, 0) == 1 && quantile_sorted(v, 7, 1) == 8, "the ends");
    ok(quantile_sorted(one, 1, 0.75) == 7, "of one itself");
}

static void iterations_fill_the_time(void)
{
    is_int(iterations_for(400, 10, 100), 40, "in proportion");
    is_int(iterations_for(100, 1, 1000), 1, "never none");
    is_int(iterations_for(100, 10, 0), 1000, "a clock that stood still counts as one nanosecond");
    is_int(iterations_for(400000000, 1000000000000, 400000000), 1000000000000,
           "no overflow on the way");
}

static void clocks_run(void)
{
    uint64_t t0 = now_ns(), cpu0 = cpu_ns();

    compute_for(2000000);
    ok(now_ns() - t0 >= 2000000, "it computes as long as it was told");
    ok(cpu_ns() > cpu0, "and uses processor time meanwhile");
}

int main(void)
{
    median_is_the_middle();
    percentile_is_a_measured_value();
    quantile_lies_between();
    iterations_fill_the_time();
    clocks_run();
    return done_testing();
}
