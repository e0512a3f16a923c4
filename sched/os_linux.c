/* SPDX-License-Identifier: BSD-3-Clause
 * os_linux.c - the kernel's door
 */
#include "os_linux.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

uint32_t fence_bias;

static int sys_result(long r, int saved)
{
    int e = r < 0 ? -errno : (int)r;

    errno = saved;
    return e;
}

noinline int errno_get(void)
{
    return errno;
}

noinline void errno_put(int e)
{
    errno = e;
}

int futex_wait(uint32_t *word, uint32_t value, int64_t deadline)
{
    /* The kernel refuses a time before its beginning, and the caller would look again for ever. */
    int64_t at = deadline < 0 ? 0 : deadline;
    struct timespec ts = { .tv_sec = at / 1000000000, .tv_nsec = at % 1000000000 };
    int saved = errno;

    return sys_result(syscall(SYS_futex, word, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, value,
                              deadline == INT64_MAX ? NULL : &ts, NULL, FUTEX_BITSET_MATCH_ANY),
                      saved);
}

void futex_wake(uint32_t *word, int n)
{
    int saved = errno;

    syscall(SYS_futex, word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, n, NULL, NULL, 0);
    errno = saved;
}

static int64_t clock_ns(clockid_t clock)
{
    struct timespec ts;

    clock_gettime(clock, &ts);
    return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

int64_t nanotime(void)
{
    return clock_ns(CLOCK_MONOTONIC);
}

int64_t walltime(void)
{
    return clock_ns(CLOCK_REALTIME);
}

void os_sleep_until(int64_t deadline)
{
    struct timespec ts = { .tv_sec = deadline / 1000000000, .tv_nsec = deadline % 1000000000 };

    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL) == EINTR)
        ;
}

int os_gettid(void)
{
    return (int)syscall(SYS_gettid);
}

void os_yield(void)
{
    sched_yield();
}

/* The kernel's own name for the clock of a thread: what pthread_getcpuclockid makes. */
static clockid_t thread_clock(int tid)
{
    return (clockid_t)((~(unsigned)tid << 3) | 6);
}

int64_t thread_cputime(int tid)
{
    struct timespec ts;
    int saved = errno, r = clock_gettime(thread_clock(tid), &ts);

    errno = saved;
    return r < 0 ? -1 : (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

int cpu_timer_start(timer_t *timer, int tid, int sig, int64_t period_ns)
{
    struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID, .sigev_signo = sig };
    struct timespec period = { .tv_sec = period_ns / 1000000000,
                               .tv_nsec = period_ns % 1000000000 };
    struct itimerspec every = { .it_interval = period, .it_value = period };
    int saved = errno, e;

    /* glibc has a name for it from 2.38 on. */
    event._sigev_un._tid = tid;
    e = timer_create(thread_clock(tid), &event, timer);
    if (e == 0 && timer_settime(*timer, 0, &every, NULL) != 0) {
        e = -1;
        timer_delete(*timer);
    }
    return sys_result(e, saved);
}

void cpu_timer_stop(timer_t timer)
{
    int saved = errno;

    timer_delete(timer);
    errno = saved;
}

bool thread_sleeps(int tid)
{
    char path[48], text[128], *at;
    int saved = errno, fd;
    ssize_t n;

    snprintf(path, sizeof path, "/proc/self/task/%d/stat", tid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    n = fd >= 0 ? read(fd, text, sizeof text - 1) : -1;
    if (fd >= 0)
        close(fd);
    errno = saved;
    if (n <= 0)
        return true;
    text[n] = '\0';
    /* The name before it may hold anything but is short. */
    at = strrchr(text, ')');
    return at == NULL || at[1] == '\0' || at[2] != 'R';
}

int thread_start(pthread_t *thread, const pthread_attr_t *attr, void *(*fn)(void *), void *arg)
{
    sigset_t all, old;
    int e;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    e = pthread_create(thread, attr, fn, arg);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return -e;
}

void write_stderr(const char *line, unsigned long n)
{
    int saved = errno;

    while (n > 0) {
        ssize_t k = write(STDERR_FILENO, line, n);

        if (k < 0 && errno == EINTR)
            continue;
        if (k <= 0)
            break;
        line += k;
        n -= (unsigned long)k;
    }
    errno = saved;
}

void fence_init(void)
{
    int saved = errno;
    bool allowed = syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0;

    fence_bias = allowed ? 0 : FENCE_BIT;
    errno = saved;
}

void fence_heavy(void)
{
    int saved = errno;

    if (fence_bias == 0)
        syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
    errno = saved;
    /* order FENCE full: this side's own stores before its later loads; in: fence_and_load,
     * fence_light */
    fence_full();
}

uint32_t fence_and_load(const uint32_t *word)
{
    if (fence_bias != 0)
        /* order FENCE full: what fence_light could not do; in: fence_heavy */
        fence_full();
    /* order FENCE in: what was done before the word changed is seen; out: gscan_end, m_wake_all */
    return load_acquire(word) & ~(uint32_t)FENCE_BIT;
}
