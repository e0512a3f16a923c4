/* SPDX-License-Identifier: BSD-3-Clause
 * split.c - functions of every kind that a compiler writes a stack check for
 *
 * Built with -fsplit-stack by each compiler, at each level, and linked with test-morestack.c, which
 * has them begin while the guard says that they must not. NAME gives each build names of its own.
 */
#include "split.h"

#include <alloca.h>
#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <string.h>

#define JOIN2(a, b) a##b
#define JOIN(a, b) JOIN2(a, b)
#define N(name) JOIN(name, NAME)
#define apart __attribute__((__noinline__, __noclone__))

#ifdef __clang__
#undef apart
#define apart __attribute__((__noinline__))
#endif

long N(split_sum)(void);
long N(split_through)(long (*fn)(void *), void *arg);

/* Between any two the caller's values have to survive in memory. */
static volatile long kept = 1;

static apart long leaf(long a)
{
    return a + kept;
}

/* Six in registers, four on the stack. */
static apart long many(long a, long b, long c, long d, long e, long f, long g, long h, long i,
                       long j)
{
    return leaf(a) + 2 * b + 3 * c + 5 * d + 7 * e + 11 * f + 13 * g + 17 * h + 19 * i + 23 * j;
}

static apart double floats(double a, double b, double c, double d, double e, double f, double g,
                           double h, double i)
{
    return a + 2 * b + 3 * c + 5 * d + 7 * e + 11 * f + 13 * g + 17 * h + 19 * i +
           (double)leaf(0);
}

struct big {
    long v[16];
};

static apart struct big by_value(struct big in, long by)
{
    for (int i = 0; i < 16; i++)
        in.v[i] = leaf(in.v[i]) * by;
    return in;
}

static apart long big_frame(long a)
{
    volatile char room[3000];

    for (unsigned i = 0; i < sizeof room; i += 64)
        room[i] = (char)leaf((long)i);
    return a + room[128] + (long)strnlen((const char *)room, 0);
}

/* One row of alloca in a loop: every one stays, and the array of variable length goes. */
static apart long allocas(long n)
{
    char *at[4];
    long sum = 0;

    for (int i = 0; i < 4; i++) {
        at[i] = alloca((size_t)(n + i));
        memset(at[i], i + 1, (size_t)(n + i));
    }
    for (int i = 0; i < 4; i++) {
        char array[n + leaf(i)];

        memset(array, 9, sizeof array);
        sum += array[sizeof array - 1] + leaf(i) + at[i][n + i - 1];
    }
    for (int i = 0; i < 4; i++)
        sum += at[i][0] * 100 + many(1, 2, 3, 4, 5, 6, 7, 8, at[i][n - 1], at[i][0]);
    return sum;
}

/* A stack that is aligned by hand, with arguments below it. */
static apart long aligned(long n)
{
    char local[64] __attribute__((__aligned__(64)));
    char *moved = alloca((size_t)n);

    memset(local, 3, sizeof local);
    memset(moved, 4, (size_t)n);
    return many(1, 2, 3, 4, 5, 6, 7, 8, local[leaf(0)], moved[n - 1]);
}

#ifndef __clang__
/* clang cannot compile these two with a check. */
static apart long sum_of(int n, ...)
{
    va_list list;
    long sum = 0;

    va_start(list, n);
    for (int i = 0; i < n; i++)
        sum += va_arg(list, long) * (i + 1);
    va_end(list);
    return leaf(sum);
}

static apart double mixed(const char *kinds, ...)
{
    va_list list;
    double sum = 0;

    va_start(list, kinds);
    for (; *kinds != 0; kinds++)
        sum = sum * 2 + (*kinds == 'd' ? va_arg(list, double) : (double)va_arg(list, long));
    va_end(list);
    return sum + (double)leaf(0);
}

/* The inner one finds its surroundings by r10. */
static apart long nested(long a)
{
    long outer = leaf(a);
    apart long inner(long b)
    {
        outer += leaf(b);
        return outer * b;
    }

    return inner(3) + inner(5) + outer;
}

static long variable(void)
{
    return sum_of(9, 1L, 2L, 3L, 4L, 5L, 6L, 7L, 8L, 9L) +
           (long)mixed("ldldldldldldldldld", 1L, 2.0, 3L, 4.0, 5L, 6.0, 7L, 8.0, 9L, 10.0, 11L,
                       12.0, 13L, 14.0, 15L, 16.0, 17L, 18.0) + nested(7);
}
#else
static long variable(void)
{
    return 0;
}
#endif

static apart long recursive(long n)
{
    return n == 0 ? leaf(0) : recursive(n - 1) + n;
}

long N(split_sum)(void)
{
    struct big in, out;
    long sum = leaf(1) + many(1, 2, 3, 4, 5, 6, 7, 8, 9, 10) + big_frame(4) + variable();

    for (int i = 0; i < 16; i++)
        in.v[i] = i;
    out = by_value(in, 3);
    for (int i = 0; i < 16; i++)
        sum = sum * 3 + out.v[i];
    sum += (long)floats(1, 2, 3, 4, 5, 6, 7, 8, 9);
    sum += allocas(37) + allocas(1000) + aligned(100) + recursive(20);
    return sum;
}

/* A frame of ours with somebody else above it, and then another: leaves may have no check. */
long N(split_through)(long (*fn)(void *), void *arg)
{
    return many(fn(arg), 0, 0, 0, 0, 0, 0, 0, 0, 0) - kept;
}

/* ---- what is looked at by test-prologue.c --------------------------------------------------- */

static __thread volatile int of_the_thread;

static apart int uses_errno(void)
{
    errno = (int)leaf(2);
    return (int)leaf(errno);
}

static apart long uses_thread_local(void)
{
    of_the_thread = (int)leaf(3);
    return leaf(of_the_thread);
}

static apart long uses_self(void)
{
    return leaf((long)pthread_self());
}

static apart long calls_libc(long a)
{
    char text[32];

    memset(text, (int)a, sizeof text);
    return leaf((long)strnlen(text, sizeof text));
}

extern const struct split_function N(split_functions)[];
const struct split_function N(split_functions)[] = {
    { "many", (void (*)(void))many, true, true },
    { "floats", (void (*)(void))floats, true, true },
    { "by_value", (void (*)(void))by_value, true, true },
    { "big_frame", (void (*)(void))big_frame, true, true },
    { "allocas", (void (*)(void))allocas, true, true },
    { "aligned", (void (*)(void))aligned, true, true },
    { "recursive", (void (*)(void))recursive, true, true },
#ifndef __clang__
    /* clang leaves the check out of a leaf that needs no frame. */
    { "leaf", (void (*)(void))leaf, true, true },
    { "sum_of", (void (*)(void))sum_of, true, true },
    { "mixed", (void (*)(void))mixed, true, true },
    { "nested", (void (*)(void))nested, true, true },
#endif
    { "calls_libc", (void (*)(void))calls_libc, true, true },
    { "uses_errno", (void (*)(void))uses_errno, true, false },
    { "uses_thread_local", (void (*)(void))uses_thread_local, true, false },
    { "uses_self", (void (*)(void))uses_self, true, false },
    { NULL, NULL, false, false },
};
