/* SPDX-License-Identifier: BSD-3-Clause
 * preempt-code.c - goroutines of test-preempt.c in code that is compiled to be preempted
 */
#include "preempt-code.h"

#include <stdlib.h>

int stop;
pthread_mutex_t mutex;

static int is_over(void)
{
    return __atomic_load_n(&stop, __ATOMIC_RELAXED);
}

static __attribute__((noinline)) uint64_t mixes(uint64_t x)
{
    __asm__ volatile("");
    return x * 0x9e3779b97f4a7c15u + 1;
}

int calls(void *arg)
{
    uint64_t x = 1;

    while (!is_over())
        x = mixes(x);
    *(uint64_t *)arg = x;
    return 0;
}

int loops(void *arg)
{
    uint64_t x = 1;

    while (!is_over())
        x = x * 0x9e3779b97f4a7c15u + 1;
    *(uint64_t *)arg = x;
    return 0;
}

/* Everything that a cpu has registers for, in one loop. */
int sums(void *arg)
{
    uint64_t a[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };
    double d[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };

    for (int i = 0; i < SUM_ROUNDS; i++)
        for (int k = 0; k < 8; k++) {
            a[k] = a[k] * 0x9e3779b97f4a7c15u + a[(k + 3) % 8];
            d[k] = d[k] * 0.9999 + d[(k + 5) % 8] * 0.0001;
        }
    *(uint64_t *)arg = a[0] ^ a[3] ^ (uint64_t)(d[0] * 1e15) ^ (uint64_t)(d[7] * 1e15);
    return 0;
}

static int compares(const void *a, const void *b)
{
    while (!is_over())
        ;
    return *(const int *)a - *(const int *)b;
}

int sorts(void *arg)
{
    int numbers[] = { 2, 1 };

    (void)arg;
    qsort(numbers, 2, sizeof *numbers, compares);
    return 0;
}

int holds_and_computes(void *arg)
{
    uint64_t found;
    int *wrong = arg;

    if (pthread_mutex_lock(&mutex) != 0)
        ++*wrong;
    sums(&found);
    if (pthread_mutex_unlock(&mutex) != 0)
        ++*wrong;
    return 0;
}
