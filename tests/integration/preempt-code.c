/* SPDX-License-Identifier: BSD-3-Clause
 * preempt-code.c - goroutines of test-preempt.c in code that is compiled to be preempted
 */
#include "quoit.h"

#include "preempt-code.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    COPY_BYTES = 1 << 20,
    FRAME_BYTES = 24 << 10,
    RED_ZONE_BYTES = 128,
    LOOKS = 50,
    SHORT_ROUNDS = 1000000,
};

int stop, began;
uint64_t turn;
pthread_mutex_t mutex;

static int is_over(void)
{
    return __atomic_load_n(&stop, __ATOMIC_RELAXED);
}

/* Whoever calls it has a frame, and so a check; and so has it, as what it keeps does not fit below
 * its stack pointer: clang leaves the check out of leaves that need no frame. */
static __attribute__((noinline)) uint64_t mixes(uint64_t x)
{
    char frame[RED_ZONE_BYTES + 1];

    __asm__ volatile("" : : "r"(frame) : "memory");
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
    uint64_t x = mixes(1);

    while (!is_over())
        x = x * 0x9e3779b97f4a7c15u + 1;
    *(uint64_t *)arg = x;
    return 0;
}

/* Signals come in while memcpy runs, nearly always. */
int copies(void *arg)
{
    char *from = calloc(2, COPY_BYTES);
    uint64_t x = 1;

    while (from != NULL && !is_over()) {
        memcpy(from + COPY_BYTES, from, COPY_BYTES);
        from[0] = (char)(x = mixes(x));
    }
    free(from);
    *(uint64_t *)arg = x;
    return 0;
}

static __attribute__((noinline)) uint64_t uses_stack(uint64_t x)
{
    char frame[FRAME_BYTES];

    memset(frame, (int)x, sizeof frame);
    __asm__ volatile("" : : "r"(frame) : "memory");
    return x + (uint8_t)frame[x % sizeof frame];
}

int big_frames(void *arg)
{
    uint64_t x = 1;

    while (!is_over())
        x = uses_stack(x);
    *(uint64_t *)arg = x;
    return 0;
}

/* Everything that a cpu has registers for, in one loop. */
int sums(void *arg)
{
    uint64_t a[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };
    double d[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };

    a[0] = mixes(a[0]);
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

int takes_turns(void *arg)
{
    uint64_t me = *(const uint64_t *)arg;

    mixes(me);
    for (int i = 0; i < TURNS; i++) {
        while (__atomic_load_n(&turn, __ATOMIC_ACQUIRE) != me)
            ;
        __atomic_store_n(&turn, 1 - me, __ATOMIC_RELEASE);
    }
    return 0;
}

static inline __attribute__((always_inline)) void computes(int rounds)
{
    for (int i = 0; i < rounds; i++)
        __asm__ volatile("");
}

int sleeps_in_calls(void *arg)
{
    struct timespec t = { 0, (long)*(const uint64_t *)arg * 1000 };

    __atomic_add_fetch(&began, 1, __ATOMIC_SEQ_CST);
    while (!is_over()) {
        quoit_syscall_enter();
        nanosleep(&t, NULL);
        quoit_syscall_exit();
        computes(SHORT_ROUNDS);
    }
    return 0;
}

int stays_itself(void *arg)
{
    for (int i = 0; i < LOOKS; i++) {
        uint64_t id = quoit_goid();

        computes(SHORT_ROUNDS);
        *(uint64_t *)arg += quoit_goid() != id;
    }
    return 0;
}
