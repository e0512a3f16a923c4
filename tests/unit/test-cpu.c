/* SPDX-License-Identifier: BSD-3-Clause
 * test-cpu.c - hints are only hints, and the counter counts
 */
#include "cpu.h"

#include "tap.h"

#include <stdint.h>

#define READS 100000

static void counter_never_goes_back(void)
{
    uint64_t start = cpu_cycles(), last = start;
    int back = 0;

    for (int i = 0; i < READS; i++) {
        uint64_t now = cpu_cycles();

        back += now < last;
        last = now;
        cpu_relax();
    }
    ok(back == 0, "counter_never_goes_back");
    ok(last > start, "counter_moves: %llu units in %d reads", (unsigned long long)(last - start),
       READS);
}

/* Wrong guesses are allowed: a list prefetches the next element before it knows of one. */
static void prefetch_takes_any_address(void)
{
    static char byte;
    const void *places[] = {&byte, NULL, (void *)8, (void *)UINTPTR_MAX};

    for (unsigned i = 0; i < array_len(places); i++) {
        prefetch_read(places[i]);
        prefetch_write(places[i]);
    }
    ok(byte == 0, "prefetch_takes_any_address");
}

int main(void)
{
    plan_tests(3);
    counter_never_goes_back();
    prefetch_takes_any_address();
    return done_testing();
}
